//! Writes captures for the tests of this crate.

use crate::btsnoop::DataLink;

const UNIX_EPOCH_MICROS: i64 = 0x00dc_ddb3_0f2f_8000;

pub(crate) struct CaptureWriter {
    bytes: Vec<u8>,
    data_link: DataLink,
}

impl CaptureWriter {
    pub(crate) fn new(data_link: DataLink) -> Self {
        let number: u32 = if data_link == DataLink::H4 { 1002 } else { 2001 };
        let mut bytes = b"btsnoop\0\0\0\0\x01".to_vec();
        bytes.extend(number.to_be_bytes());
        Self { bytes, data_link }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A record with a packet as it stands in the file.
    pub(crate) fn record(&mut self, micros: i64, flags: u32, wrapped: &[u8]) {
        let length = u32::try_from(wrapped.len()).unwrap();
        for word in [length, length, flags, 0] {
            self.bytes.extend(word.to_be_bytes());
        }
        self.bytes.extend((micros + UNIX_EPOCH_MICROS).to_be_bytes());
        self.bytes.extend(wrapped);
    }

    /// A whole command packet: opcode, length, parameters.
    pub(crate) fn command(&mut self, micros: i64, packet: &[u8]) {
        match self.data_link {
            DataLink::H4 => self.record(micros, 2, &[&[1], packet].concat()),
            DataLink::LinuxMonitor => self.record(micros, 2, packet),
        }
    }

    /// A whole event packet: code, length, parameters.
    pub(crate) fn event(&mut self, micros: i64, packet: &[u8]) {
        match self.data_link {
            DataLink::H4 => self.record(micros, 3, &[&[4], packet].concat()),
            DataLink::LinuxMonitor => self.record(micros, 3, packet),
        }
    }
}
