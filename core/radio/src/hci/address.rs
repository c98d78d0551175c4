//! The address of an advertiser, which is only ever compared.

use core::fmt;

/// A Bluetooth device address with its type. Two reports of the same advertiser compare equal;
/// nothing else can be learned from it, and `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceAddress {
    kind: u8,
    bytes: [u8; 6],
}

impl DeviceAddress {
    pub(crate) const fn new(kind: u8, bytes: [u8; 6]) -> Self {
        Self { kind, bytes }
    }
}

impl fmt::Debug for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceAddress(..)")
    }
}
