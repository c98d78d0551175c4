//! One controller: what its host has told it, and how it answers.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// `O_NONBLOCK` of Linux on every architecture that Rust's standard library knows but three.
const NONBLOCKING: i32 = 0o4000;
const EVENT: u8 = 0x04;
const COMMAND: u8 = 0x01;
const DATA: u8 = 0x02;
const VENDOR: u8 = 0xff;
/// Handle under which the only set of a Bluetooth 4 controller is kept.
pub(crate) const LEGACY_SET: u8 = 0xff;

/// An advertiser: a set of a controller, or a passer-by without one.
#[derive(Clone, Default)]
pub(crate) struct Advertiser {
    pub(crate) on: bool,
    /// Legacy PDU type: 0 connectable, 2 scannable, 3 neither.
    pub(crate) kind: u8,
    pub(crate) random_address: bool,
    pub(crate) address: [u8; 6],
    pub(crate) data: Vec<u8>,
    pub(crate) response: Vec<u8>,
    pub(crate) interval: Duration,
    /// When it sends next, on the bed's clock.
    pub(crate) due: Duration,
}

/// How the host scans.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) on: bool,
    pub(crate) extended: bool,
    pub(crate) active: bool,
    pub(crate) filter: bool,
    /// Which part of the time it listens.
    pub(crate) duty: f64,
    pub(crate) seen: HashSet<Vec<u8>>,
}

pub(crate) struct Controller {
    pub(crate) device: File,
    pub(crate) address: [u8; 6],
    pub(crate) random_address: [u8; 6],
    pub(crate) sets: BTreeMap<u8, Advertiser>,
    pub(crate) scan: Scan,
    /// Whom the host wants to be connected to.
    pub(crate) connecting: Option<[u8; 6]>,
}

/// What a host sends.
pub(crate) enum FromHost {
    /// Opcode and parameters.
    Command(u16, Vec<u8>),
    /// Handle and flags, length, data of a connection.
    Data(Vec<u8>),
}

impl Controller {
    /// Adds a controller to the machine.
    pub(crate) fn add(number: usize) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut device =
            options.read(true).write(true).custom_flags(NONBLOCKING).open("/dev/vhci")?;
        device.write_all(&[VENDOR, 0])?;
        let last = u8::try_from(number).unwrap_or(u8::MAX).wrapping_add(1);
        Ok(Self {
            device,
            address: [last, 0, 0, 0xe0, 0xb1, 0],
            random_address: [0; 6],
            sets: BTreeMap::new(),
            scan: Scan { duty: 1.0, ..Scan::default() },
            connecting: None,
        })
    }

    /// The next thing that the host sends.
    pub(crate) fn receive(&mut self) -> Option<FromHost> {
        let mut packet = [0; 1100];
        loop {
            let length = self.device.read(&mut packet).ok().filter(|length| *length > 0)?;
            if let Some([COMMAND, low, high, _, parameters @ ..]) = packet.get(..length) {
                let opcode = u16::from_le_bytes([*low, *high]);
                return Some(FromHost::Command(opcode, parameters.to_vec()));
            }
            if let Some([DATA, data @ ..]) = packet.get(..length) {
                return Some(FromHost::Data(data.to_vec()));
            }
        }
    }

    /// Command Complete.
    pub(crate) fn complete(&mut self, opcode: u16, parameters: &[u8]) {
        let [low, high] = opcode.to_le_bytes();
        self.event(0x0e, &[&[1, low, high][..], parameters].concat());
    }

    /// Command Status: success.
    pub(crate) fn status(&mut self, opcode: u16) {
        let [low, high] = opcode.to_le_bytes();
        self.event(0x0f, &[0, 1, low, high]);
    }

    /// Data of a connection, from the other side.
    pub(crate) fn data(&mut self, data: &[u8]) {
        let _ = self.device.write_all(&[&[DATA][..], data].concat());
    }

    /// An advertising report in the form that the host asked for. `kind` 4 is a scan response.
    pub(crate) fn report(&mut self, from: &Advertiser, kind: u8, data: &[u8], rssi: i8) {
        let random = u8::from(from.random_address);
        let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
        let [rssi] = rssi.to_le_bytes();
        let report = if self.scan.extended {
            let flags = match (kind, from.kind) {
                (4, 0) => 0x1b,
                (4, _) => 0x1a,
                (0, _) => 0x13,
                (2, _) => 0x12,
                _ => 0x10,
            };
            let head = [&[0x0d, 1, flags, 0, random][..], &from.address].concat();
            let middle = [1, 0, 0xff, 0x7f, rssi, 0, 0, 0, 0, 0, 0, 0, 0, 0, length];
            [&head[..], &middle, data].concat()
        } else {
            let head = [&[0x02, 1, kind, random][..], &from.address, &[length]].concat();
            [&head[..], data, &[rssi]].concat()
        };
        self.event(0x3e, &report);
    }

    pub(crate) fn event(&mut self, code: u8, parameters: &[u8]) {
        let length = u8::try_from(parameters.len()).unwrap_or(u8::MAX);
        // A host that has gone away is noticed when its commands stop.
        let _ = self.device.write_all(&[&[EVENT, code, length][..], parameters].concat());
    }
}
