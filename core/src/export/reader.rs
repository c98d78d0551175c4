//! export.bin field by field, in whatever order the fields come, holding one field at a time.
//!
//! Protobuf's own parser wants the whole message and returns the whole message; a file of half a
//! million keys is neither wanted nor returned here.

use super::archive::EXPORT_BIN;
use super::content::Content;
use super::error::{ExportError, excerpt};
use super::wire::{HEADER, HEADER_STEM};

/// Which of its two lists a key stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyList {
    /// `keys`: published for the first time.
    New,
    /// `revised_keys`: published before, now with another report type, or revoked.
    Revised,
}

impl KeyList {
    pub(super) const fn is_revised(self) -> bool {
        matches!(self, Self::Revised)
    }
}

/// A field of `TemporaryExposureKeyExport`. Those without a value have theirs in the reader.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Start(u64),
    End(u64),
    Region,
    BatchNumber(i32),
    BatchSize(i32),
    SignatureInfo,
    Key(KeyList),
}

/// Wire types of protobuf. The two of groups are refused: no version of the format had one.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

/// Reads the fields of one export.bin.
pub(super) struct FieldReader<'a> {
    content: Content<'a>,
    /// Bytes read so far.
    offset: u64,
    /// The field being read: its number and where it starts.
    field: u32,
    start: u64,
    /// The bytes of the current field, if it has a length and is not in place.
    payload: Vec<u8>,
    payload_limit: usize,
    /// How many bytes of the content are the current field's, if they were all there at once.
    in_place: usize,
}

impl<'a> FieldReader<'a> {
    /// A reader behind the header.
    pub(super) fn new(content: Content<'a>, payload_limit: usize) -> Result<Self, ExportError> {
        let payload = Vec::new();
        let mut reader =
            Self { content, offset: 0, field: 0, start: 0, payload, payload_limit, in_place: 0 };
        reader.header()?;
        Ok(reader)
    }

    /// The next known field; `None` at the end of the content. Not to be called after an error.
    pub(super) fn next(&mut self) -> Result<Option<Field>, ExportError> {
        let read_in_place = core::mem::take(&mut self.in_place);
        self.advance(read_in_place);
        loop {
            self.field = 0;
            self.start = self.offset;
            let available = self.content.available()?;
            if available.is_empty() {
                return Ok(None);
            }
            if let Some((number, list, length)) = whole_key(available, self.payload_limit) {
                self.field = number;
                self.advance(2);
                self.in_place = length;
                return Ok(Some(Field::Key(list)));
            }
            let tag = self.varint("a field tag")?;
            self.field = u32::try_from(tag >> 3)
                .ok()
                .filter(|number| (1..1 << 29).contains(number))
                .ok_or_else(|| self.malformed("its number is out of range"))?;
            let field = match (self.field, tag & 7) {
                (1, FIXED64) => Field::Start(u64::from_le_bytes(self.fixed()?)),
                (2, FIXED64) => Field::End(u64::from_le_bytes(self.fixed()?)),
                (4, VARINT) => Field::BatchNumber(self.int32()?),
                (5, VARINT) => Field::BatchSize(self.int32()?),
                (3, LENGTH_DELIMITED) => self.load(Field::Region)?,
                (6, LENGTH_DELIMITED) => self.load(Field::SignatureInfo)?,
                (7, LENGTH_DELIMITED) => self.load(Field::Key(KeyList::New))?,
                (8, LENGTH_DELIMITED) => self.load(Field::Key(KeyList::Revised))?,
                (1..=8, _) => return Err(self.malformed("it is not of its declared type")),
                (_, wire_type) => {
                    self.skip(wire_type)?;
                    continue;
                }
            };
            return Ok(Some(field));
        }
    }

    /// The bytes of the current field.
    #[inline]
    pub(super) fn payload(&self) -> &[u8] {
        match self.in_place {
            0 => &self.payload,
            length => self.content.current().get(..length).unwrap_or_default(),
        }
    }

    /// The bytes of the current field as text.
    pub(super) fn text(&self) -> Result<String, ExportError> {
        let text = core::str::from_utf8(&self.payload);
        text.map(ToOwned::to_owned).map_err(|_| self.malformed("it is not UTF-8"))
    }

    /// The bytes of the current field as a message.
    pub(super) fn message<M: prost::Message + Default>(&self) -> Result<M, ExportError> {
        M::decode(self.payload()).map_err(|_| self.malformed("its message cannot be decoded"))
    }

    /// SHA-256 of everything read; zeros if the content was not to be hashed.
    pub(super) fn digest(self) -> [u8; 32] {
        self.content.digest().unwrap_or_default()
    }

    fn header(&mut self) -> Result<(), ExportError> {
        let mut header = [0; HEADER.len()];
        let mut length = 0;
        while let Some(place) = header.get_mut(length) {
            let Some(byte) = self.byte()? else { break };
            *place = byte;
            length += 1;
        }
        let found = header.get(..length).unwrap_or_default();
        if found == HEADER {
            return Ok(());
        }
        if HEADER.starts_with(found) {
            return Err(ExportError::TruncatedExport { what: "the header", offset: 0 });
        }
        match found.strip_prefix(HEADER_STEM) {
            Some(version) if length == HEADER.len() => {
                let version = excerpt(String::from_utf8_lossy(version).trim_end());
                Err(ExportError::UnsupportedHeaderVersion { version })
            }
            _ => Err(ExportError::NotAnExport),
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, ExportError> {
        let byte = self.content.available()?.first().copied();
        if byte.is_some() {
            self.content.consume(1);
            self.offset = self.offset.saturating_add(1);
        }
        Ok(byte)
    }

    /// Seven bits a byte, least significant first, at most 64 bits.
    fn varint(&mut self, what: &'static str) -> Result<u64, ExportError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?.ok_or_else(|| self.truncated(what))?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number in it is longer than 64 bits"))
    }

    /// Protobuf writes negative int32 as 64 bits and reads the lower 32.
    fn int32(&mut self) -> Result<i32, ExportError> {
        let value = self.varint("a number")?;
        #[expect(clippy::cast_possible_truncation, reason = "protobuf's rule for int32")]
        let value = value as i32;
        Ok(value)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ExportError> {
        let mut bytes = [0; N];
        for place in &mut bytes {
            *place = self.byte()?.ok_or_else(|| self.truncated("a number of fixed size"))?;
        }
        Ok(bytes)
    }

    /// Reads a length and that many bytes. Room is made for what arrives, not for what is
    /// announced.
    fn load(&mut self, field: Field) -> Result<Field, ExportError> {
        let length = self.varint("a length")?;
        let limit = self.payload_limit;
        let too_long = ExportError::MessageTooLong { limit, offset: self.start };
        let mut missing = usize::try_from(length).map_err(|_| too_long.clone())?;
        if missing > limit {
            return Err(too_long);
        }
        self.payload.clear();
        while missing > 0 {
            let available = self.content.available()?;
            let piece = available.get(..missing).unwrap_or(available);
            let count = piece.len();
            self.payload.extend_from_slice(piece);
            self.pass(count)?;
            missing = missing.saturating_sub(count);
        }
        Ok(field)
    }

    fn skip(&mut self, wire_type: u64) -> Result<(), ExportError> {
        let mut missing = match wire_type {
            VARINT => return self.varint("an unknown number").map(drop),
            FIXED64 => 8,
            FIXED32 => 4,
            LENGTH_DELIMITED => self.varint("a length")?,
            _ => return Err(self.malformed("its wire type is unknown")),
        };
        while missing > 0 {
            let available = self.content.available()?.len();
            let count =
                usize::try_from(missing).map_or(available, |missing| available.min(missing));
            self.pass(count)?;
            missing = missing.saturating_sub(count as u64);
        }
        Ok(())
    }

    /// Steps over bytes that were available; none available is the end in the midst of a field.
    fn pass(&mut self, count: usize) -> Result<(), ExportError> {
        if count == 0 {
            return Err(self.truncated("a field"));
        }
        self.advance(count);
        Ok(())
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        self.content.consume(count);
        self.offset = self.offset.saturating_add(count as u64);
    }

    fn truncated(&self, what: &'static str) -> ExportError {
        ExportError::TruncatedExport { what, offset: self.start }
    }

    fn malformed(&self, what: &'static str) -> ExportError {
        ExportError::MalformedField { field: self.field, what, offset: self.start }
    }
}

/// Number, list and length of the field that `bytes` start with, if it is a key, has a length
/// written in one byte, and is there as a whole: nearly always.
#[inline]
fn whole_key(bytes: &[u8], limit: usize) -> Option<(u32, KeyList, usize)> {
    let [tag, length, rest @ ..] = bytes else { return None };
    let (number, list) = match tag {
        0x3a => (7, KeyList::New),
        0x42 => (8, KeyList::Revised),
        _ => return None,
    };
    let length = usize::from(*length);
    ((1..0x80).contains(&length) && length <= limit && length <= rest.len())
        .then_some((number, list, length))
}

impl core::fmt::Debug for FieldReader<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct(EXPORT_BIN).field("offset", &self.offset).finish_non_exhaustive()
    }
}
