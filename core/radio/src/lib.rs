//! Bytes from the air: what a Bluetooth controller and its host said to each other becomes scans.
//!
//! Everything here is slices in, values out: no I/O, no clock, no threads, and no byte sequence
//! that panics. Three layers, each usable alone:
//!
//! * [`btsnoop`] cuts a capture file into records;
//! * [`hci`] decodes the packets in them: advertising reports and the commands around them;
//! * [`capture`] replays a whole capture of an Android phone and says which advertisements the
//!   phone's exposure notification service was handed, scan by scan, and which it sent itself.
//!
//! Addresses and advertising data appear in no `Debug` output and in no error.

pub mod btsnoop;
pub mod capture;
mod field_reader;
pub mod hci;

#[cfg(test)]
mod capture_writer;
