//! Bytes from the air: what a Bluetooth controller and its host said to each other becomes scans.
//!
//! Without features, everything here is slices in, values out: no I/O, no clock, no threads, and
//! no byte sequence that panics. Three layers, each usable alone:
//!
//! * [`btsnoop`] cuts a capture file into records;
//! * [`hci`] decodes the packets in them: advertising reports and the commands around them;
//! * [`capture`] replays a whole capture of a phone or a computer and says which advertisements
//!   its exposure notification service was handed, scan by scan, and which it sent itself.
//!
//! With features, radios of this machine: `host` has the seam between an engine and a radio
//! (`radio`) and the loop that joins them (`node`); `bluez` and `btleplug` are radios.
//!
//! Addresses and advertising data appear in no `Debug` output and in no error.

#[cfg(all(feature = "bluez", target_os = "linux"))]
pub mod bluez;
pub mod btsnoop;
pub mod capture;
mod field_reader;
pub mod hci;
#[cfg(feature = "host")]
pub mod node;
#[cfg(feature = "btleplug")]
pub mod portable;
#[cfg(feature = "host")]
pub mod radio;

#[cfg(test)]
mod capture_writer;
