//! The btsnoop capture format, in both envelopes that phones and computers write, whole or as it
//! is being written.
//!
//! A file is a 16-byte header and records of 24 bytes plus a packet, all big-endian (the snoop
//! format of RFC 1761 with other link types and 64-bit time stamps). Android's
//! `btsnoop_hci.log` begins each packet with its H4 type byte (link type 1002); Linux' `btmon -w`
//! puts an opcode and a controller number into the record's flags instead (link type 2001).

mod stream;

use core::fmt;
use core::iter::FusedIterator;

use thiserror::Error;

pub use stream::RecordStream;

const MAGIC: [u8; 8] = *b"btsnoop\0";
const VERSION: u32 = 1;
/// 1970-01-01 in the format's microseconds since year 0.
const UNIX_EPOCH_MICROS: i64 = 0x00dc_ddb3_0f2f_8000;
const FILE_HEADER_LENGTH: usize = 16;
const RECORD_HEADER_LENGTH: usize = 24;

/// The beginning of a capture in the Linux monitor's envelope; records follow.
pub const LINUX_FILE_HEADER: [u8; FILE_HEADER_LENGTH] = *b"btsnoop\0\0\0\0\x01\0\0\x07\xd1";

/// The longest packet accepted: an ACL packet of 65,535 bytes with its header and type byte.
/// Whatever claims to be longer is a damaged length field.
pub const MAX_PACKET_LENGTH: u32 = 65_535 + 5;

/// Why a capture cannot be read, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BtsnoopError {
    /// The file is shorter than its header.
    #[error("the file has {found} bytes and no room for a header of 16")]
    HeaderTruncated {
        /// Bytes in the file.
        found: usize,
    },
    /// The file does not begin with `btsnoop` and a zero byte.
    #[error("no btsnoop magic at byte 0")]
    BadMagic,
    /// A format version other than 1.
    #[error("unsupported btsnoop version {version} at byte 8")]
    UnsupportedVersion {
        /// The version found.
        version: u32,
    },
    /// A link type other than 1002 and 2001.
    #[error("unsupported link type {data_link} at byte 12")]
    UnsupportedDataLink {
        /// The link type found.
        data_link: u32,
    },
    /// The file ends inside a record, as a log does that was copied while it was written.
    #[error("the record at byte {offset} needs {needed} bytes and the file has {available} left")]
    RecordTruncated {
        /// Where the record begins.
        offset: usize,
        /// Bytes of the record's header, or of header and packet once the header is known.
        needed: usize,
        /// Bytes from there to the end of the file.
        available: usize,
    },
    /// A packet length beyond [`MAX_PACKET_LENGTH`].
    #[error("the record at byte {offset} claims a packet of {included} bytes, more than 65540")]
    RecordTooLong {
        /// Where the record begins.
        offset: usize,
        /// The length it claims.
        included: u32,
    },
    /// A time stamp that is no time.
    #[error("the record at byte {offset} has an impossible time stamp")]
    ImpossibleTime {
        /// Where the record begins.
        offset: usize,
    },
}

impl BtsnoopError {
    /// The same error in a file that begins `bytes` earlier.
    const fn moved_by(self, bytes: usize) -> Self {
        match self {
            Self::RecordTooLong { offset, included } => {
                Self::RecordTooLong { offset: offset.saturating_add(bytes), included }
            }
            Self::ImpossibleTime { offset } => {
                Self::ImpossibleTime { offset: offset.saturating_add(bytes) }
            }
            other => other,
        }
    }
}

/// How the packets of a file are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataLink {
    /// 1002: the packet begins with its H4 type byte.
    H4,
    /// 2001: the record's flags hold the controller's number and an opcode.
    LinuxMonitor,
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// An HCI command, from host to controller.
    Command,
    /// An HCI event, from controller to host.
    Event,
    /// ACL, synchronous or isochronous data in either direction.
    Data,
    /// Notes of the logger, and what this reader does not know.
    Other,
}

/// One record of a capture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where the record begins in the file.
    pub offset: usize,
    /// Microseconds since 1970 as stamped. Android stamps local time.
    pub stamped_micros: i64,
    /// Number of the controller; 0 in Android's logs, which know only one.
    pub controller: u16,
    /// What the packet is.
    pub kind: RecordKind,
    /// The HCI packet without type byte; shorter than it was if `shortened`.
    pub packet: &'a [u8],
    /// Whether the logger kept only the beginning of the packet.
    pub shortened: bool,
    /// Packets the logger lost since the file began.
    pub lost: u32,
}

impl fmt::Debug for Record<'_> {
    /// Without the packet, which holds addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("offset", &self.offset)
            .field("kind", &self.kind)
            .field("length", &self.packet.len())
            .finish_non_exhaustive()
    }
}

/// Iterates over the records of a capture. The first error ends it; what came before is whole.
#[derive(Clone)]
pub struct Records<'a> {
    file: &'a [u8],
    data_link: DataLink,
    /// Where the next record begins; `None` after the end or an error.
    offset: Option<usize>,
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("data_link", &self.data_link)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl<'a> Records<'a> {
    /// Checks the header of a whole capture file.
    ///
    /// # Errors
    /// [`BtsnoopError`] if it is no btsnoop file of version 1 with a supported link type.
    pub fn new(file: &'a [u8]) -> Result<Self, BtsnoopError> {
        Ok(Self { file, data_link: data_link_of(file)?, offset: Some(FILE_HEADER_LENGTH) })
    }

    /// The envelope of this file.
    #[must_use]
    pub const fn data_link(&self) -> DataLink {
        self.data_link
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BtsnoopError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset.take().filter(|&offset| offset < self.file.len())?;
        Some(record_at(self.file, self.data_link, offset).map(|(record, next)| {
            self.offset = Some(next);
            record
        }))
    }
}

impl FusedIterator for Records<'_> {}

/// The envelope that a file's header names.
fn data_link_of(file: &[u8]) -> Result<DataLink, BtsnoopError> {
    let header: &[u8; FILE_HEADER_LENGTH] =
        file.first_chunk().ok_or(BtsnoopError::HeaderTruncated { found: file.len() })?;
    if !header.starts_with(&MAGIC) {
        return Err(BtsnoopError::BadMagic);
    }
    let version = u32_at(header, 8);
    if version != VERSION {
        return Err(BtsnoopError::UnsupportedVersion { version });
    }
    match u32_at(header, 12) {
        1002 => Ok(DataLink::H4),
        2001 => Ok(DataLink::LinuxMonitor),
        data_link => Err(BtsnoopError::UnsupportedDataLink { data_link }),
    }
}

/// The record at `offset`, and where the next one begins.
fn record_at(
    file: &[u8],
    data_link: DataLink,
    offset: usize,
) -> Result<(Record<'_>, usize), BtsnoopError> {
    let rest = file.get(offset..).unwrap_or_default();
    let truncated =
        |needed| BtsnoopError::RecordTruncated { offset, needed, available: rest.len() };
    let (header, behind) = rest
        .split_first_chunk::<RECORD_HEADER_LENGTH>()
        .ok_or_else(|| truncated(RECORD_HEADER_LENGTH))?;
    let included = u32_at(header, 4);
    if included > MAX_PACKET_LENGTH {
        return Err(BtsnoopError::RecordTooLong { offset, included });
    }
    let length =
        usize::try_from(included).map_err(|_| BtsnoopError::RecordTooLong { offset, included })?;
    let end = RECORD_HEADER_LENGTH.saturating_add(length);
    let wrapped = behind.get(..length).ok_or_else(|| truncated(end))?;
    let [.., a, b, c, d, e, f, g, h] = *header;
    let stamped_micros = i64::from_be_bytes([a, b, c, d, e, f, g, h])
        .checked_sub(UNIX_EPOCH_MICROS)
        .ok_or(BtsnoopError::ImpossibleTime { offset })?;
    let flags = u32_at(header, 8);
    let (controller, kind, packet) = match data_link {
        DataLink::H4 => {
            let (kind, packet) = h4_packet(wrapped);
            (0, kind, packet)
        }
        DataLink::LinuxMonitor => {
            let [high, low, opcode_high, opcode_low] = flags.to_be_bytes();
            let kind = monitor_kind(u16::from_be_bytes([opcode_high, opcode_low]));
            (u16::from_be_bytes([high, low]), kind, wrapped)
        }
    };
    let record = Record {
        offset,
        stamped_micros,
        controller,
        kind,
        packet,
        shortened: u32_at(header, 0) > included,
        lost: u32_at(header, 12),
    };
    Ok((record, offset.saturating_add(end)))
}

/// The big-endian word at `offset`, which every caller keeps inside the header.
fn u32_at<const N: usize>(header: &[u8; N], offset: usize) -> u32 {
    let word = header.get(offset..).and_then(<[u8]>::first_chunk);
    u32::from_be_bytes(word.copied().unwrap_or_default())
}

/// Splits off the H4 type byte (Bluetooth Core, vol. 4 part A, 2).
const fn h4_packet(wrapped: &[u8]) -> (RecordKind, &[u8]) {
    match wrapped {
        [1, packet @ ..] => (RecordKind::Command, packet),
        [4, packet @ ..] => (RecordKind::Event, packet),
        [2 | 3 | 5, packet @ ..] => (RecordKind::Data, packet),
        _ => (RecordKind::Other, wrapped),
    }
}

/// Opcodes of the Linux monitor channel (`btmon` and the kernel's `hci_mon.h`).
const fn monitor_kind(opcode: u16) -> RecordKind {
    match opcode {
        2 => RecordKind::Command,
        3 => RecordKind::Event,
        4..=7 | 18 | 19 => RecordKind::Data,
        _ => RecordKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture_writer::CaptureWriter;

    const RESET: [u8; 3] = [0x03, 0x0c, 0x00];

    fn records(file: &[u8]) -> Vec<Result<Record<'_>, BtsnoopError>> {
        Records::new(file).unwrap().collect()
    }

    #[test]
    fn both_envelopes_give_the_same_packets() {
        for data_link in [DataLink::H4, DataLink::LinuxMonitor] {
            let mut writer = CaptureWriter::new(data_link);
            writer.command(1_000_001, &RESET);
            writer.event(1_000_002, &[0x0e, 0x00]);
            let found = records(writer.bytes());
            let command = found[0].unwrap();
            assert_eq!((command.kind, command.packet), (RecordKind::Command, &RESET[..]));
            assert_eq!((command.stamped_micros, command.controller), (1_000_001, 0));
            let event = found[1].unwrap();
            assert_eq!((event.kind, event.packet), (RecordKind::Event, &[0x0e, 0x00][..]));
            assert_eq!(found.len(), 2);
        }
    }

    #[test]
    fn the_monitor_envelope_names_the_controller() {
        let mut writer = CaptureWriter::new(DataLink::LinuxMonitor);
        writer.record(7, 0x0003_0002, &RESET);
        writer.record(8, 0x0003_0004, &[]);
        writer.record(9, 0xffff_000c, b"note");
        let found: Vec<_> = records(writer.bytes()).into_iter().map(Result::unwrap).collect();
        let kinds: Vec<_> = found.iter().map(|record| (record.controller, record.kind)).collect();
        assert_eq!(
            kinds,
            [(3, RecordKind::Command), (3, RecordKind::Data), (0xffff, RecordKind::Other)]
        );
    }

    #[test]
    fn a_header_that_is_none_says_why() {
        let whole = CaptureWriter::new(DataLink::H4).bytes().to_vec();
        assert_eq!(
            Records::new(&whole[..15]).unwrap_err(),
            BtsnoopError::HeaderTruncated { found: 15 }
        );
        let changed = |at: usize, value: u8| {
            let mut file = whole.clone();
            file[at] = value;
            Records::new(&file).unwrap_err()
        };
        assert_eq!(changed(0, b'B'), BtsnoopError::BadMagic);
        assert_eq!(changed(11, 2), BtsnoopError::UnsupportedVersion { version: 2 });
        assert_eq!(changed(15, 0), BtsnoopError::UnsupportedDataLink { data_link: 768 });
    }

    #[test]
    fn what_stands_before_the_cut_is_delivered() {
        let mut writer = CaptureWriter::new(DataLink::H4);
        writer.command(1, &RESET);
        let first = writer.bytes().len();
        writer.command(2, &RESET);
        let whole = writer.bytes();
        for cut in first + 1..whole.len() {
            let found = records(&whole[..cut]);
            assert!(found[0].is_ok());
            let in_header = cut - first < RECORD_HEADER_LENGTH;
            let needed = if in_header { RECORD_HEADER_LENGTH } else { whole.len() - first };
            let available = cut - first;
            assert_eq!(
                found[1..],
                [Err(BtsnoopError::RecordTruncated { offset: first, needed, available })]
            );
        }
        assert_eq!(records(&whole[..first]).len(), 1);
    }

    #[test]
    fn damaged_fields_of_a_record_are_errors() {
        let mut writer = CaptureWriter::new(DataLink::H4);
        writer.command(1, &RESET);
        let mut long = writer.bytes().to_vec();
        long[20..24].copy_from_slice(&(MAX_PACKET_LENGTH + 1).to_be_bytes());
        let included = MAX_PACKET_LENGTH + 1;
        assert_eq!(records(&long), [Err(BtsnoopError::RecordTooLong { offset: 16, included })]);
        let mut early = writer.bytes().to_vec();
        early[32..40].copy_from_slice(&i64::MIN.to_be_bytes());
        assert_eq!(records(&early), [Err(BtsnoopError::ImpossibleTime { offset: 16 })]);
    }

    #[test]
    fn debug_shows_no_packet() {
        let mut writer = CaptureWriter::new(DataLink::H4);
        writer.event(1, &[0x5a; 9]);
        let shown = format!("{:?}", records(writer.bytes()));
        assert!(!shown.contains("90"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            header in prop::bool::ANY,
            monitor in prop::bool::ANY,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let data_link = if monitor { DataLink::LinuxMonitor } else { DataLink::H4 };
            let mut file = CaptureWriter::new(data_link).bytes().to_vec();
            file.truncate(if header { file.len() } else { 0 });
            file.extend(bytes);
            if let Ok(records) = Records::new(&file) {
                prop_assert!(records.count() <= file.len());
            }
        }
    }
}
