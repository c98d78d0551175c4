//! The bytes of one file of the archive, inflated piece by piece within a limit.

use core::fmt;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use sha2::{Digest, Sha256};

use super::error::ExportError;

/// How many bytes exist at once.
const PIECE: usize = 16 << 10;

/// Where a file's bytes are and what the archive says about them.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The file's name, for errors.
    pub(super) name: &'static str,
    /// Its bytes as stored.
    pub(super) data: &'a [u8],
    /// Whether they are deflated.
    pub(super) deflated: bool,
    /// Checksum and size of the content; a bare file has none.
    pub(super) expected: Option<Expected>,
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the zip directory promises about a content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) crc: u32,
    pub(super) size: u64,
}

enum Form {
    Stored,
    Deflated { inflater: Decompress, buffer: Box<[u8]>, ended: bool },
}

/// A read through a content from its start to its end.
pub(crate) struct Content<'a> {
    entry: Entry<'a>,
    form: Form,
    /// How much of `entry.data` has been read.
    read: usize,
    /// The current piece: a range of `entry.data` if stored, of the buffer if deflated.
    piece: core::ops::Range<usize>,
    produced: u64,
    limit: u64,
    crc: Crc,
    hash: Option<Sha256>,
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl<'a> Content<'a> {
    /// A read that fails beyond `limit` bytes and hashes what it reads if `hashed`.
    pub(super) fn new(entry: Entry<'a>, limit: u64, hashed: bool) -> Self {
        let form = if entry.deflated {
            let buffer = vec![0; PIECE].into_boxed_slice();
            Form::Deflated { inflater: Decompress::new(false), buffer, ended: false }
        } else {
            Form::Stored
        };
        let hash = hashed.then(Sha256::new);
        Self { entry, form, read: 0, piece: 0..0, produced: 0, limit, crc: Crc::new(), hash }
    }

    /// What is there to read now; empty only at the end, after checksum and size were found right.
    #[inline]
    pub(crate) fn available(&mut self) -> Result<&[u8], ExportError> {
        if self.piece.is_empty() {
            self.advance()?;
        }
        Ok(self.current())
    }

    /// Marks the first `count` of the available bytes as read.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.piece.start = self.piece.start.saturating_add(count).min(self.piece.end);
    }

    /// SHA-256 of everything read so far, if it was asked for.
    pub(super) fn digest(self) -> Option<[u8; 32]> {
        Some(self.hash?.finalize().into())
    }

    /// The whole content at once, for the small file.
    pub(super) fn read_to_end(mut self) -> Result<Vec<u8>, ExportError> {
        let mut all = Vec::new();
        loop {
            let piece = self.available()?;
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(piece);
            let count = piece.len();
            self.consume(count);
        }
    }

    /// What is there to read without inflating more.
    #[inline]
    pub(super) fn current(&self) -> &[u8] {
        let all = match &self.form {
            Form::Stored => self.entry.data,
            Form::Deflated { buffer, .. } => buffer,
        };
        all.get(self.piece.clone()).unwrap_or_default()
    }

    #[cold]
    fn advance(&mut self) -> Result<(), ExportError> {
        self.piece = match &mut self.form {
            Form::Stored => {
                let start = self.read;
                self.read = start.saturating_add(PIECE).min(self.entry.data.len());
                start..self.read
            }
            Form::Deflated { ended: true, .. } => 0..0,
            Form::Deflated { inflater, buffer, ended } => {
                0..inflate(inflater, self.entry.data, &mut self.read, buffer, ended)?
            }
        };
        self.observe()
    }

    /// Counts, checks and hashes the piece that just came into being.
    fn observe(&mut self) -> Result<(), ExportError> {
        let Self { entry, form, piece, produced, limit, crc, hash, .. } = self;
        let all = match form {
            Form::Stored => entry.data,
            Form::Deflated { buffer, .. } => buffer,
        };
        let piece = all.get(piece.clone()).unwrap_or_default();
        *produced = produced.saturating_add(piece.len() as u64);
        if *produced > *limit {
            self.piece = 0..0;
            return Err(ExportError::TooLarge { entry: entry.name, limit: *limit });
        }
        if entry.expected.is_some() {
            crc.update(piece);
        }
        if let Some(hash) = hash {
            hash.update(piece);
        }
        if piece.is_empty() {
            return self.check_end();
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), ExportError> {
        let Some(expected) = self.entry.expected else { return Ok(()) };
        if self.read != self.entry.data.len() {
            return Err(ExportError::CorruptZip { what: "bytes follow a compressed content" });
        }
        if expected.crc != self.crc.sum() {
            return Err(ExportError::CrcMismatch { entry: self.entry.name });
        }
        if expected.size != self.produced {
            return Err(ExportError::CorruptZip { what: "a content has not its declared size" });
        }
        Ok(())
    }
}

/// Fills `buffer` from `data` behind `read`; returns how many bytes it now holds.
fn inflate(
    inflater: &mut Decompress,
    data: &[u8],
    read: &mut usize,
    buffer: &mut [u8],
    ended: &mut bool,
) -> Result<usize, ExportError> {
    let mut filled = 0;
    while filled < buffer.len() && !*ended {
        let input = data.get(*read..).unwrap_or_default();
        let output = buffer.get_mut(filled..).unwrap_or_default();
        let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
        let status = inflater
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| ExportError::CorruptZip { what: "a content cannot be inflated" })?;
        let taken = moved(before_in, inflater.total_in(), input.len());
        let given = moved(before_out, inflater.total_out(), output.len());
        *read += taken;
        filled += given;
        match status {
            Status::StreamEnd => *ended = true,
            // Neither side moved although there is room: the stream lacks its end.
            Status::Ok | Status::BufError if taken == 0 && given == 0 => {
                return Err(ExportError::CorruptZip { what: "a compressed content is cut off" });
            }
            Status::Ok | Status::BufError => {}
        }
    }
    Ok(filled)
}

/// How far a counter of the inflater moved, never more than it had room for.
fn moved(before: u64, after: u64, room: usize) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(room).min(room)
}
