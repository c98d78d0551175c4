//! Reads fixed-width fields from the front of a packet without ever reading past its end.

use crate::hci::HciError;

/// A position in a packet. Errors name the byte at which the packet ended too early.
#[derive(Clone, Copy)]
pub(crate) struct FieldReader<'a> {
    packet: &'a [u8],
    offset: usize,
}

impl<'a> FieldReader<'a> {
    pub(crate) const fn new(packet: &'a [u8]) -> Self {
        Self { packet, offset: 0 }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], HciError> {
        let taken = self.remaining().get(..length);
        let taken = taken.ok_or(HciError::Truncated { length: self.packet.len() })?;
        self.offset += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], HciError> {
        let taken = self.remaining().first_chunk();
        let taken = taken.ok_or(HciError::Truncated { length: self.packet.len() })?;
        self.offset += N;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, HciError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, HciError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn skip(&mut self, length: usize) -> Result<(), HciError> {
        self.take(length).map(drop)
    }

    pub(crate) fn remaining(&self) -> &'a [u8] {
        self.packet.get(self.offset..).unwrap_or_default()
    }
}
