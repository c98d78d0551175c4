//! The everyday write path: one append and one sync for each commit.
//!
//! A journal has its full length from the beginning and is filled from the front, so that a file
//! that was cut off is told from one that was never filled. A commit is a frame:
//!
//! ```text
//! magic 8 │ schema u16 │ base u64 │ length u64 │ pages 16 │ checksum 16     the header, once
//! length u32 │ sequence u64 │ payload │ checksum 16                         a frame
//! 0 0 0 …                                                                   not yet written
//! ```
//!
//! `pages` is the checksum of the whole database. It changes only between a frame without content,
//! which says that merging begins, and the next journal.
//!
//! Frames are numbered without gaps from `base`. A last frame that is not whole is what a crash
//! leaves of a commit that was not acknowledged, and is reported; a broken frame before a whole
//! one is damage.

use core::fmt;
use core::ops::RangeInclusive;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, read_whole};
use crate::error::{Damage, Doing, LogError};
use crate::schema::SCHEMA;
use crate::seal::checksum;

pub(crate) const FILE: &str = "journal";
const FRESH: &str = "journal.new";
const MAGIC: &[u8; 8] = b"chikakuJ";
const HEADER: usize = 8 + 2 + 8 + 8 + SUM + SUM;
const FRAME_HEADER: usize = 4 + 8;
const SUM: usize = 16;
/// Bytes of a frame besides its payload.
const OVERHEAD: usize = FRAME_HEADER + SUM;
/// Length of an ordinary journal: about ninety scans of thirty phones.
const LENGTH: usize = 64 * 1024;
/// Payload of the frame that says that merging begins: no segments, as the codec writes them.
const MERGING: [u8; 2] = [1, 0];
/// No payload is longer, and no journal much.
const LONGEST_PAYLOAD: usize = 32 << 20;

/// An open journal.
pub(crate) struct Journal {
    file: Arc<dyn DiskFile>,
    length: usize,
    end: usize,
    next: u64,
    is_merging: bool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("length", &self.length)
            .field("end", &self.end)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// One commit as it stands in the journal.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) sequence: u64,
    pub(crate) payload: Vec<u8>,
}

/// What a journal on disk holds.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) journal: Journal,
    pub(crate) frames: Vec<Frame>,
    /// Number of the last commit that was never in this journal.
    pub(crate) base: u64,
    /// Checksum of the database, if it has not changed since.
    pub(crate) pages: Option<[u8; 16]>,
    /// Bytes of a last frame that is not whole.
    pub(crate) unfinished: Option<u64>,
    /// Whole frames after a broken one, or a journal that is cut off.
    pub(crate) damage: Option<Damage>,
}

impl Journal {
    /// A new journal after commit `base` in the place of the old one, for a database with the
    /// checksum `pages`, with room for a payload of `room` bytes.
    pub(crate) fn create(
        disk: &dyn Disk,
        base: u64,
        pages: [u8; 16],
        room: usize,
    ) -> Result<Self, LogError> {
        if room > LONGEST_PAYLOAD {
            return Err(LogError::TooLarge { bytes: room });
        }
        let length = LENGTH.max(HEADER + OVERHEAD + room + OVERHEAD + MERGING.len());
        let fixed = [
            &MAGIC[..],
            &SCHEMA.to_le_bytes(),
            &base.to_le_bytes(),
            &(length as u64).to_le_bytes(),
            &pages,
        ]
        .concat();
        let header = [&fixed[..], &checksum(&[&fixed])].concat();
        let write = || {
            let file = disk.create(FRESH)?;
            // Written, not only set to its length: a sync of blocks that are there costs a tenth of
            // one that has to find blocks first.
            let mut blank = header.clone();
            blank.resize(length, 0);
            file.write_at(0, &blank)?;
            file.sync()?;
            disk.rename(FRESH, FILE)?;
            disk.sync_names()?;
            Ok(file)
        };
        let file = write().doing("starting a journal")?;
        let next = base.saturating_add(1);
        Ok(Self { file, length, end: HEADER, next, is_merging: false })
    }

    /// Reads the journal on `disk`.
    pub(crate) fn open(disk: &dyn Disk) -> Result<Opened, LogError> {
        let file = disk.open(FILE).doing("opening the journal")?;
        let file = file.ok_or_else(|| damaged("missing"))?;
        let bytes = read_whole(&*file).doing("reading the journal")?;
        let (base, length, pages) = read_header(&bytes)?;
        let mut damage = None;
        if bytes.len() != length {
            let what = format!("{} bytes long instead of {length}", bytes.len());
            damage = Some(Damage { file: FILE, what });
        }
        let mut frames = Vec::new();
        let mut end = HEADER;
        let mut next = base.saturating_add(1);
        while let Some(frame) = frame_at(&bytes, end, next..=next) {
            end += OVERHEAD + frame.payload.len();
            next = next.saturating_add(1);
            frames.push(frame);
        }
        let rest = bytes.get(end..).unwrap_or_default();
        let unfinished = rest.iter().rposition(|byte| *byte != 0).map(|last| last as u64 + 1);
        if unfinished.is_some() && damage.is_none() {
            // There are fewer frames than bytes, so no whole one has a greater number.
            let numbers = next..=next.saturating_add(bytes.len() as u64);
            let mut offsets = end + 1..bytes.len();
            let later = offsets.find_map(|offset| frame_at(&bytes, offset, numbers.clone()));
            damage = later.map(|frame| {
                let what = format!("commit {next} is broken, commit {} is whole", frame.sequence);
                Damage { file: FILE, what }
            });
        }
        let is_merging = frames.iter().any(|frame| frame.payload == MERGING);
        let pages = (!is_merging).then_some(pages);
        let journal = Self { file, length, end, next, is_merging };
        Ok(Opened { journal, frames, base, pages, unfinished, damage })
    }

    /// Number of the last commit.
    pub(crate) const fn last(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// Number of the commit that [`Journal::append`] would make.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether a payload of so many bytes still goes in, and the beginning of merging after it.
    pub(crate) const fn has_room_for(&self, payload: usize) -> bool {
        let room = self.length.saturating_sub(self.end);
        payload <= LONGEST_PAYLOAD && payload + OVERHEAD + MERGING.len() + OVERHEAD <= room
    }

    /// Says that the database is about to change.
    pub(crate) fn begin_merging(&mut self) -> Result<(), LogError> {
        if !self.is_merging {
            self.append(&MERGING).map_err(|failed| failed.error)?;
            self.is_merging = true;
        }
        Ok(())
    }

    /// Makes `payload` durable as commit [`Journal::next`]. The caller has asked for room.
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<(), AppendError> {
        let mut frame = Vec::with_capacity(OVERHEAD + payload.len());
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&self.next.to_le_bytes());
        frame.extend_from_slice(payload);
        let sum = checksum(&[&frame]);
        frame.extend_from_slice(&sum);
        let written = self.file.write_at(self.end as u64, &frame).and_then(|()| self.file.sync());
        if let Err(source) = written {
            let taken_back = self
                .file
                .write_at(self.end as u64, &vec![0; frame.len()])
                .and_then(|()| self.file.sync())
                .is_ok();
            let error = LogError::Disk { doing: "appending to the journal", source };
            return Err(AppendError { error, taken_back });
        }
        self.end += frame.len();
        self.next = self.next.saturating_add(1);
        Ok(())
    }
}

/// An append that failed.
#[derive(Debug)]
pub(crate) struct AppendError {
    pub(crate) error: LogError,
    /// Nothing of it is left, so that the journal can be used further.
    pub(crate) taken_back: bool,
}

fn damaged(what: &str) -> LogError {
    LogError::corrupt(Damage { file: FILE, what: what.to_owned() })
}

/// Base, length and the checksum of the database.
fn read_header(bytes: &[u8]) -> Result<(u64, usize, [u8; SUM]), LogError> {
    let broken = || damaged("its header is broken");
    let (header, _) = bytes.split_at_checked(HEADER).ok_or_else(broken)?;
    let (fixed, sum) = header.split_at_checked(HEADER - SUM).ok_or_else(broken)?;
    if checksum(&[fixed]) != sum {
        return Err(broken());
    }
    let rest = fixed.strip_prefix(MAGIC).ok_or_else(broken)?;
    let (schema, rest) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
    let (base, rest) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
    let (pages, _) = rest.split_first_chunk::<SUM>().ok_or_else(broken)?;
    crate::schema::readable(u16::from_le_bytes(*schema)).map_err(|_| broken())?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    Ok((u64::from_le_bytes(*base), length, *pages))
}

/// The whole frame at `offset`, if there is one and its number is among `numbers`.
fn frame_at(bytes: &[u8], offset: usize, numbers: RangeInclusive<u64>) -> Option<Frame> {
    let rest = bytes.get(offset..)?;
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length > 0)?;
    let (sequence, after) = after.split_first_chunk::<8>()?;
    let sequence = Some(u64::from_le_bytes(*sequence)).filter(|it| numbers.contains(it))?;
    let payload = after.get(..length)?;
    let sum = after.get(length..)?.get(..SUM)?;
    let summed = rest.get(..FRAME_HEADER.checked_add(length)?)?;
    let whole = checksum(&[summed]) == sum;
    whole.then(|| Frame { sequence, payload: payload.to_vec() })
}
