//! HCI packets: advertising reports, and the commands that shape scanning and advertising.
//!
//! Field layouts follow Bluetooth Core 5.2, vol. 4 part E, and Android's HCI vendor commands.
//!
//! Written by hand although the `bt-hci` crate has these reports: its `Debug` prints addresses,
//! one unknown field costs all later reports of an event, it has no Android commands, and it
//! brings sixteen crates of an asynchronous controller driver.

mod address;
mod command;
mod report;

use core::fmt;

use thiserror::Error;

pub use address::DeviceAddress;
pub use command::{
    AdvertisingSet, AdvertisingSets, Command, DataOperation, FilterAction, FilterCommand,
    ScanCommands,
};
pub use report::{AdvertisingReport, AdvertisingReports, DataStatus};

/// Why a packet, or the rest of it, cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HciError {
    /// The packet ends inside a field.
    #[error("the packet ends after {length} bytes, inside a field")]
    Truncated {
        /// Bytes in the packet, or in its parameters once those are being read.
        length: usize,
    },
    /// A legacy advertising report of a type that does not exist.
    #[error("unknown type {event_type} of an advertising report")]
    UnknownReportType {
        /// The type found; 0..=4 exist.
        event_type: u8,
    },
}

/// Advertising data as it was on the air, 0..=255 bytes. `Debug` never shows them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct AdvertisingData<'a>(pub &'a [u8]);

impl fmt::Debug for AdvertisingData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdvertisingData({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_panic(
            code in prop::sample::select(vec![0x3e_u8, 0x0e, 0xff]),
            subevent in prop::sample::select(vec![0x02_u8, 0x0d, 0x01]),
            opcode in prop::sample::select(vec![
                0x2037_u16, 0x2008, 0x2039, 0x203c, 0x203d, 0x200a, 0x2042, 0x200c, 0x0c03, 0xfd54,
                0xfd57,
            ]),
            lie in prop::option::of(any::<u8>()),
            body in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let length = lie.unwrap_or_else(|| u8::try_from(body.len()).unwrap());
            let event = [&[code, length, subevent], &body[..]].concat();
            if let Ok(Some(reports)) = AdvertisingReports::from_event(&event) {
                prop_assert!(reports.count() <= 255);
            }
            let _ = AdvertisingReports::from_event(&body);
            let [low, high] = opcode.to_le_bytes();
            let _ = Command::decode(&[&[low, high, length], &body[..]].concat());
            let _ = Command::decode(&body);
        }
    }
}
