//! The database below: a crash-safe map from (drawer, slot) to a sealed record.
//!
//! redb 4.6.0 believes its pages after a clean end: of 19,152 single flipped bits 54 ended in a
//! panic and 11,399 were read. After any other end it verifies them, with a panic now and then
//! (one bit in some thousands) and now and then an older state. So the file is never closed
//! cleanly, it changes only while the journal says so, and at all other times it is held against
//! its checksum before redb sees it. An older state is found by [`Pages::merged`].

use core::fmt;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
};

use crate::disk::{Disk, DiskFile, read_whole};
use crate::drawers::DrawerId;
use crate::error::{Damage, Doing, LogError};
use crate::seal::{Checksum, NONCE};

pub(crate) const FILE: &str = "pages";
const RECORDS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const MERGED: &str = "merged";
/// Bytes of pages that redb keeps in memory.
const CACHE: usize = 1 << 20;

/// Where a record is.
pub(crate) type Place = (DrawerId, u64);

/// What changes in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) put: Vec<(Place, Vec<u8>)>,
    pub(crate) delete: Vec<Place>,
    /// Drawers of which nothing stays.
    pub(crate) empty: Vec<DrawerId>,
    /// Number of the last commit that is now in the pages.
    pub(crate) merged: u64,
}

/// The open database.
pub(crate) struct Pages {
    database: Database,
    file: Arc<dyn DiskFile>,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        *lock(&self.state) = State::Closing;
    }
}

impl Pages {
    /// A new database in the place of any that was there.
    pub(crate) fn create(disk: &dyn Disk) -> Result<Self, LogError> {
        let file = disk.create(FILE).doing("creating the database")?;
        let pages = Self::over(file, State::Working)?;
        pages.write(Batch::default())?;
        disk.sync_names().doing("creating the database")?;
        Ok(pages)
    }

    /// Opens the database, if its file has the `expected` checksum, and verifies every page of
    /// it. The file stays as it is until something is written.
    pub(crate) fn open(disk: &dyn Disk, expected: Option<[u8; 16]>) -> Result<Self, LogError> {
        let file = disk.open(FILE).doing("opening the database")?;
        let file = file.ok_or_else(|| damaged("missing"))?;
        if let Some(expected) = expected
            && checksum_of(&*file).doing("verifying the database")? != expected
        {
            return Err(damaged("not what was written"));
        }
        if file.length().doing("opening the database")? == 0 {
            return Err(damaged("empty"));
        }
        Self::over(file, State::Looking(Vec::new()))
    }

    fn over(file: Arc<dyn DiskFile>, state: State) -> Result<Self, LogError> {
        let state = Arc::new(Mutex::new(state));
        let backend = Backend { file: Arc::clone(&file), state: Arc::clone(&state) };
        let database = Database::builder()
            .set_cache_size(CACHE)
            .create_with_backend(backend)
            .map_err(|error| database_error("opening the database", error.into()))?;
        Ok(Self { database, file, state })
    }

    /// Lets the file change; the journal has to say so before.
    fn release(&self) -> Result<(), LogError> {
        let mut state = lock(&self.state);
        if let State::Looking(deeds) = &*state {
            let mut deeds = deeds.iter();
            deeds
                .try_for_each(|deed| carry_out(&*self.file, deed))
                .doing("opening the database")?;
        }
        *state = State::Working;
        Ok(())
    }

    /// Number of the last commit whose changes are in the pages.
    pub(crate) fn merged(&self) -> Result<u64, LogError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(META)?;
            Ok(table.get(MERGED)?.map(|merged| merged.value()))
        };
        let merged = read().map_err(|error| database_error("reading the database", error))?;
        merged.ok_or_else(|| damaged("it does not say which commits it holds"))
    }

    /// Shows `visit` every record, by place.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Place, &[u8])) -> Result<(), LogError> {
        let mut read = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(RECORDS)?;
            for record in table.iter()? {
                let (place, sealed) = record?;
                let (drawer, slot) = place.value();
                visit((DrawerId(drawer), slot), sealed.value());
            }
            Ok(())
        };
        read().map_err(|error| database_error("reading the database", error))
    }

    /// Lets the file not change any more, and gives its checksum. What redb writes after this it
    /// does for its own comfort: it is only noted, until the file may change again.
    pub(crate) fn settle(&self) -> Result<[u8; 16], LogError> {
        let mut state = lock(&self.state);
        let settled = self.file.sync().and_then(|()| checksum_of(&*self.file));
        if let State::Working = *state {
            *state = State::Looking(Vec::new());
        }
        settled.doing("settling the database")
    }

    /// The sealed records in `drawers`.
    pub(crate) fn sealed_in(&self, drawers: &[DrawerId]) -> Result<Vec<Vec<u8>>, LogError> {
        let mut found = Vec::new();
        self.visit(&mut |(drawer, _), sealed| {
            if drawers.contains(&drawer) {
                found.push(sealed.to_vec());
            }
        })?;
        Ok(found)
    }

    /// Overwrites what is left of `records`, piece by piece, in free pages and the unused ends of
    /// others. No record that is still there has a piece in common with them: what is sealed
    /// looks random.
    pub(crate) fn scrub(&self, records: &[Vec<u8>]) -> Result<(), LogError> {
        const PIECE: usize = 64;
        let mut pieces: HashMap<&[u8], &[u8]> = HashMap::new();
        for record in records {
            let last = record.len().saturating_sub(PIECE);
            for piece in record.chunks(PIECE).chain(record.get(last..)) {
                pieces.extend(piece.get(..NONCE).map(|start| (start, piece)));
            }
        }
        let scrub = || {
            let bytes = read_whole(&*self.file)?;
            for (offset, start) in bytes.windows(NONCE).enumerate() {
                let piece = pieces.get(start).copied();
                let found = piece.filter(|piece| {
                    bytes.get(offset..).is_some_and(|rest| rest.starts_with(piece))
                });
                if let Some(piece) = found {
                    self.file.write_at(offset as u64, &vec![0; piece.len()])?;
                }
            }
            self.file.sync()
        };
        scrub().doing("overwriting what is forgotten")
    }

    /// Applies all of `batch`, durably, or nothing.
    pub(crate) fn write(&self, batch: Batch) -> Result<(), LogError> {
        self.release()?;
        let write = || -> Result<(), redb::Error> {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            {
                let mut records = transaction.open_table(RECORDS)?;
                for drawer in &batch.empty {
                    let all = (drawer.0, 0)..=(drawer.0, u64::MAX);
                    records.retain_in(all, |_, _| false)?;
                }
                for (drawer, slot) in &batch.delete {
                    records.remove((drawer.0, *slot))?;
                }
                for ((drawer, slot), sealed) in &batch.put {
                    records.insert((drawer.0, *slot), sealed.as_slice())?;
                }
                transaction.open_table(META)?.insert(MERGED, batch.merged)?;
            }
            transaction.commit()?;
            Ok(())
        };
        write().map_err(|error| database_error("writing the database", error))
    }

    /// Gives free pages back to the file system.
    pub(crate) fn compact(&mut self) -> Result<(), LogError> {
        self.release()?;
        let compacted = self.database.compact();
        compacted.map_err(|error| database_error("compacting the database", error.into()))?;
        Ok(())
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> Result<u64, LogError> {
        self.file.length().doing("measuring the database")
    }
}

fn checksum_of(file: &dyn DiskFile) -> io::Result<[u8; 16]> {
    let mut sum = Checksum::new();
    let mut buffer = vec![0; 64 * 1024];
    let length = file.length()?;
    let mut offset = 0;
    while offset < length {
        let step = usize::try_from(length - offset).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..step) else { break };
        file.read_at(offset, part)?;
        sum.add(part);
        offset += step as u64;
    }
    Ok(sum.finish())
}

fn damaged(what: impl Into<String>) -> LogError {
    LogError::corrupt(Damage { file: FILE, what: what.into() })
}

/// Tells a damaged file from everything else that can fail.
fn database_error(doing: &'static str, error: redb::Error) -> LogError {
    match error {
        redb::Error::Corrupted(what) => damaged(what),
        redb::Error::TableDoesNotExist(table) => damaged(format!("table {table} is missing")),
        redb::Error::UpgradeRequired(format) => damaged(format!("format {format} is not known")),
        redb::Error::Io(source)
            if matches!(
                source.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            damaged(source.to_string())
        }
        redb::Error::Io(source) => LogError::Disk { doing, source },
        source => LogError::Database { doing, source: Box::new(source) },
    }
}

/// What redb does to the file; only noted until the file may change.
#[derive(Debug)]
enum Deed {
    Write(u64, Vec<u8>),
    Length(u64),
    Sync,
}

#[derive(Debug)]
struct Backend {
    file: Arc<dyn DiskFile>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// The file is to stay as it is.
    Looking(Vec<Deed>),
    Working,
    Closing,
}

impl Backend {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn act(&self, deed: Deed) -> io::Result<()> {
        match &mut *self.state() {
            State::Looking(deeds) => {
                deeds.push(deed);
                Ok(())
            }
            State::Working => carry_out(&*self.file, &deed),
            State::Closing => Ok(()),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry_out(file: &dyn DiskFile, deed: &Deed) -> io::Result<()> {
    match deed {
        Deed::Write(offset, bytes) => file.write_at(*offset, bytes),
        Deed::Length(length) => file.set_length(*length),
        Deed::Sync => file.sync(),
    }
}

/// What stands at `offset` after `deeds` have been done to the file.
fn read_through(
    file: &dyn DiskFile,
    deeds: &[Deed],
    offset: u64,
    out: &mut [u8],
) -> io::Result<()> {
    let end = offset.saturating_add(out.len() as u64);
    if end > length_through(file, deeds)? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let on_disk = file.length()?.clamp(offset, end) - offset;
    let (found, fresh) = out.split_at_mut(usize::try_from(on_disk).unwrap_or(0).min(out.len()));
    file.read_at(offset, found)?;
    fresh.fill(0);
    for deed in deeds {
        match deed {
            Deed::Write(start, bytes) => {
                for (place, byte) in (*start..).zip(bytes) {
                    let inside = place.checked_sub(offset).and_then(|at| usize::try_from(at).ok());
                    if let Some(out) = inside.and_then(|at| out.get_mut(at)) {
                        *out = *byte;
                    }
                }
            }
            Deed::Length(length) => {
                let cut = length.clamp(&offset, &end) - offset;
                let gone = usize::try_from(cut).ok().and_then(|cut| out.get_mut(cut..));
                gone.unwrap_or_default().fill(0);
            }
            Deed::Sync => {}
        }
    }
    Ok(())
}

fn length_through(file: &dyn DiskFile, deeds: &[Deed]) -> io::Result<u64> {
    deeds.iter().try_fold(file.length()?, |length, deed| {
        Ok(match deed {
            Deed::Write(offset, bytes) => length.max(offset.saturating_add(bytes.len() as u64)),
            Deed::Length(length) => *length,
            Deed::Sync => length,
        })
    })
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        match &*self.state() {
            State::Looking(deeds) => length_through(&*self.file, deeds),
            _ => self.file.length(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.state() {
            State::Looking(deeds) => read_through(&*self.file, deeds, offset, out),
            _ => self.file.read_at(offset, out),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.act(Deed::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.act(Deed::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.act(Deed::Write(offset, data.to_vec()))
    }
}
