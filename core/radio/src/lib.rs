//! Bytes from the air: what a Bluetooth controller and its host said to each other becomes scans.
//!
//! Everything here is slices in, values out: no I/O, no clock, no threads, and no byte sequence
//! that panics. Each layer is usable alone:
//!
//! * [`btsnoop`] cuts a capture file into records;
//! * [`hci`] decodes the packets in them: advertising reports and the commands around them;
//!
//! Addresses and advertising data appear in no `Debug` output and in no error.

pub mod btsnoop;
mod field_reader;
pub mod hci;

#[cfg(test)]
mod capture_writer;
