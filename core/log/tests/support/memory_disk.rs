//! A disk in memory that remembers what was made durable, and fails when it is told to.

use core::fmt;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use chikaku_log::disk::{Disk, DiskFile};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// What goes wrong at one operation that changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing.
    Fail,
    /// It fails, but has done half of what it was asked.
    Shorten,
    /// The power goes; nothing works after it.
    PowerCut,
    /// It says that it is done, and has done nothing: a lying medium.
    Drop,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<Content>,
    /// Operations so far, and the one that goes wrong.
    operations: u64,
    fault: Option<(u64, Fault)>,
    is_dead: bool,
    bytes_written: u64,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// What has happened since the last sync.
    unsynced: Vec<Unsynced>,
}

#[derive(Clone, Debug)]
enum Unsynced {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Unsynced {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryDisk")
    }
}

impl MemoryDisk {
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk with these files.
    pub fn with(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::new();
        let mut state = disk.0.lock().unwrap();
        for (name, bytes) in files {
            let id = state.files.len();
            let (now, durable) = (bytes.clone(), bytes.clone());
            state.files.push(Content { now, durable, unsynced: Vec::new() });
            state.names.insert(name.clone(), id);
            state.durable_names.insert(name.clone(), id);
        }
        drop(state);
        disk
    }

    /// All files as they are now.
    pub fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.0.lock().unwrap();
        let file = |(name, id): (&String, &usize)| (name.clone(), state.files[*id].now.clone());
        state.names.iter().map(file).collect()
    }

    /// The bytes of all files, also of those that have lost their name.
    pub fn medium(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().files.iter().map(|file| file.now.clone()).collect()
    }

    /// How many operations have changed the disk.
    pub fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    pub fn bytes_written(&self) -> u64 {
        self.0.lock().unwrap().bytes_written
    }

    pub fn fault_at(&self, operation: u64, fault: Fault) {
        self.0.lock().unwrap().fault = Some((operation, fault));
    }

    pub fn is_dead(&self) -> bool {
        self.0.lock().unwrap().is_dead
    }

    /// What is found after the power was cut: everything that was synced, and of the rest any
    /// part in any order, torn in the middle.
    pub fn after_power_cut(&self, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let state = self.0.lock().unwrap();
        // A rename that was not synced may have happened or not.
        let names = if rng.next_u32() & 1 == 0 { &state.names } else { &state.durable_names };
        let mut files = BTreeMap::new();
        for (name, id) in names {
            let content = &state.files[*id];
            let mut bytes = content.durable.clone();
            for unsynced in &content.unsynced {
                match rng.next_u32() % 4 {
                    0 => {}
                    1 => {
                        if let Unsynced::Write(offset, written) = unsynced {
                            let torn = written[..written.len() / 2].to_vec();
                            Unsynced::Write(*offset, torn).apply(&mut bytes);
                        }
                    }
                    _ => unsynced.apply(&mut bytes),
                }
            }
            files.insert(name.clone(), bytes);
        }
        Self::with(&files)
    }
}

impl State {
    /// Counts an operation and says how it is to end.
    fn next(&mut self) -> io::Result<Option<Fault>> {
        if self.is_dead {
            return Err(io::Error::other("the power is gone"));
        }
        self.operations += 1;
        let fault = self.fault.filter(|(at, _)| *at == self.operations).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Fail) => Err(io::Error::other("refused by the test")),
            Some(Fault::PowerCut) => {
                self.is_dead = true;
                Err(io::Error::other("the power is gone"))
            }
            other => Ok(other),
        }
    }
}

fn act(disk: &MemoryDisk, change: impl FnOnce(&mut State)) -> io::Result<()> {
    let mut state = disk.0.lock().unwrap();
    match state.next()? {
        Some(Fault::Drop) => Ok(()),
        Some(_) => Err(io::Error::other("refused by the test")),
        None => {
            change(&mut state);
            Ok(())
        }
    }
}

impl Disk for MemoryDisk {
    fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let state = self.0.lock().unwrap();
        let file = |id: &usize| Arc::new(File { disk: self.clone(), id: *id }) as Arc<_>;
        Ok(state.names.get(name).map(file))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut id = 0;
        act(self, |state| {
            id = state.files.len();
            state.files.push(Content::default());
            state.names.insert(name.to_owned(), id);
        })?;
        Ok(Arc::new(File { disk: self.clone(), id }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if !self.0.lock().unwrap().names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        act(self, |state| {
            let id = state.names.remove(from).unwrap();
            state.names.insert(to.to_owned(), id);
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if !self.0.lock().unwrap().names.contains_key(name) {
            return Ok(());
        }
        act(self, |state| {
            state.names.remove(name);
        })
    }

    fn sync_names(&self) -> io::Result<()> {
        act(self, |state| state.durable_names = state.names.clone())
    }
}

#[derive(Debug)]
struct File {
    disk: MemoryDisk,
    id: usize,
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().unwrap().files[self.id].now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let state = self.disk.0.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        let found = state.files[self.id].now.get(offset..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.0.lock().unwrap();
        let fault = state.next()?;
        state.bytes_written += bytes.len() as u64;
        let written = match fault {
            Some(Fault::Drop) => return Ok(()),
            Some(Fault::Shorten) => &bytes[..bytes.len() / 2],
            _ => bytes,
        };
        let write = Unsynced::Write(usize::try_from(offset).unwrap(), written.to_vec());
        write.apply(&mut state.files[self.id].now);
        state.files[self.id].unsynced.push(write);
        match fault {
            None => Ok(()),
            Some(_) => Err(io::Error::other("the write ended early")),
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        act(&self.disk, |state| {
            let length = Unsynced::Length(usize::try_from(length).unwrap());
            length.apply(&mut state.files[self.id].now);
            state.files[self.id].unsynced.push(length);
        })
    }

    fn sync(&self) -> io::Result<()> {
        act(&self.disk, |state| {
            let file = &mut state.files[self.id];
            file.durable = file.now.clone();
            file.unsynced.clear();
        })
    }
}
