//! A phone for tests: what its host and its controller say, written as a capture.

use chikaku_core::advertisement::{Advertisement, AdvertisementFormat};

use crate::btsnoop::DataLink;
use crate::capture::{Capture, CaptureOptions};
use crate::capture_writer::CaptureWriter;
use crate::hci::ScanCommands;

const FILTER: u8 = 0x1d;
const SERVICE: u16 = 0xfd6f;

/// An advertisement in the ears of a controller.
#[derive(Clone)]
pub(super) struct Heard {
    sender: u8,
    rssi: i8,
    legacy_type: u8,
    extended_type: u8,
    data: Vec<u8>,
    cut: usize,
}

fn frame(identifier: u8) -> Vec<u8> {
    let advertisement = Advertisement::from_service_data(&[identifier; 20]).unwrap();
    AdvertisementFormat::default().encode(&advertisement).to_vec()
}

impl Heard {
    pub(super) fn scannable(sender: u8, rssi: i8) -> Self {
        Self { sender, rssi, legacy_type: 2, extended_type: 0x12, data: frame(sender), cut: 0 }
    }

    pub(super) fn not_scannable(sender: u8, rssi: i8) -> Self {
        Self { legacy_type: 3, extended_type: 0x10, ..Self::scannable(sender, rssi) }
    }

    pub(super) fn response(sender: u8, rssi: i8) -> Self {
        let of = Self::scannable(sender, rssi);
        Self { legacy_type: 4, extended_type: 0x1a, data: vec![], ..of }
    }

    pub(super) fn identifier(self, identifier: u8) -> Self {
        Self { data: frame(identifier), ..self }
    }

    pub(super) fn of_another_service(self) -> Self {
        Self { data: vec![3, 3, 0x68, 0xfd], ..self }
    }

    pub(super) fn with_short_service_data(self) -> Self {
        Self { data: vec![4, 0x16, 0x6f, 0xfd, 0], ..self }
    }

    /// The same with its last byte missing.
    pub(super) fn shortened(self) -> Self {
        Self { cut: 1, ..self }
    }

    fn report(&self, commands: ScanCommands) -> Vec<u8> {
        let length = u8::try_from(self.data.len()).unwrap();
        let [rssi] = self.rssi.to_le_bytes();
        let mut report = if commands == ScanCommands::Extended {
            let head = [&[self.extended_type, 0, 1][..], &[self.sender; 6], &[1, 0, 0xff, 0x7f]];
            [&head.concat()[..], &[rssi], &[0; 9], &[length], &self.data].concat()
        } else {
            let head = [&[self.legacy_type, 1][..], &[self.sender; 6], &[length]].concat();
            [&head[..], &self.data, &[rssi]].concat()
        };
        report.truncate(report.len() - self.cut);
        report
    }
}

pub(super) struct Phone {
    writer: CaptureWriter,
    commands: ScanCommands,
}

impl Phone {
    pub(super) fn new(data_link: DataLink, commands: ScanCommands) -> Self {
        Self { writer: CaptureWriter::new(data_link), commands }
    }

    pub(super) fn file(&self) -> &[u8] {
        self.writer.bytes()
    }

    pub(super) fn replay(&self) -> Capture {
        let capture = Capture::read(self.file(), &CaptureOptions::default()).unwrap();
        assert_eq!(capture.report().stopped, None);
        capture
    }

    /// A record with any content, at any time far enough from the ends of 64 bits to be written.
    pub(super) fn raw(&mut self, micros: i64, command: bool, packet: &[u8]) {
        let micros = micros >> 2;
        if command {
            self.writer.command(micros, packet);
        } else {
            self.writer.event(micros, packet);
        }
    }

    pub(super) fn command(&mut self, millis: i64, packet: &[u8]) {
        self.writer.command(millis * 1000, packet);
    }

    pub(super) fn reset(&mut self, millis: i64) {
        self.command(millis, &[0x03, 0x0c, 0]);
    }

    pub(super) fn add_filter(&mut self, millis: i64, filter: u8, service: u16) {
        let [low, high] = service.to_le_bytes();
        self.command(millis, &[0x57, 0xfd, 9, 7, 0, filter, low, high, 0, 0xff, 0xff, 0]);
    }

    pub(super) fn delete_filter(&mut self, millis: i64, filter: u8) {
        self.command(millis, &[0x57, 0xfd, 3, 1, 1, filter]);
    }

    pub(super) fn clear_filters(&mut self, millis: i64) {
        self.command(millis, &[0x57, 0xfd, 2, 1, 2]);
    }

    pub(super) fn begin_scan(&mut self, millis: i64) {
        self.add_filter(millis, FILTER, SERVICE);
        match self.commands {
            ScanCommands::Extended => self.command(millis, &[0x42, 0x20, 6, 1, 0, 0, 0, 0, 0]),
            ScanCommands::Legacy => self.command(millis, &[0x0c, 0x20, 2, 1, 0]),
        }
    }

    /// Switches the controller's scanner, as Linux does.
    pub(super) fn scanner(&mut self, millis: i64, on: bool) {
        let on = u8::from(on);
        match self.commands {
            ScanCommands::Extended => self.command(millis, &[0x42, 0x20, 6, on, 0, 0, 0, 0, 0]),
            ScanCommands::Legacy => self.command(millis, &[0x0c, 0x20, 2, on, 0]),
        }
    }

    pub(super) fn end_scan(&mut self, millis: i64) {
        self.delete_filter(millis, FILTER);
    }

    /// Advertises `identifier` repeated, as a host orders it.
    pub(super) fn advertise(&mut self, millis: i64, identifier: u8) {
        let frame = frame(identifier);
        match self.commands {
            ScanCommands::Extended => {
                let data = [&[0x37, 0x20, 35, 0, 3, 1, 31][..], &frame].concat();
                self.command(millis, &data);
                self.command(millis, &[0x39, 0x20, 6, 1, 1, 0, 0, 0, 0]);
            }
            ScanCommands::Legacy => {
                let data = [&[0x54, 0xfd, 34, 2, 31][..], &frame, &[1]].concat();
                self.command(millis, &data);
                self.command(millis, &[0x54, 0xfd, 3, 5, 1, 1]);
            }
        }
    }

    pub(super) fn silence(&mut self, millis: i64) {
        match self.commands {
            ScanCommands::Extended => self.command(millis, &[0x39, 0x20, 6, 0, 1, 0, 0, 0, 0]),
            ScanCommands::Legacy => self.command(millis, &[0x54, 0xfd, 3, 5, 0, 1]),
        }
    }

    pub(super) fn hear(&mut self, millis: i64, heard: Heard) {
        self.hear_together(millis, &[heard]);
    }

    /// Several reports in one event.
    pub(super) fn hear_together(&mut self, millis: i64, heard: &[Heard]) {
        let subevent = if self.commands == ScanCommands::Extended { 0x0d } else { 0x02 };
        let mut parameters = vec![subevent, u8::try_from(heard.len()).unwrap()];
        for heard in heard {
            parameters.extend(heard.report(self.commands));
        }
        let length = u8::try_from(parameters.len()).unwrap();
        self.writer.event(millis * 1000, &[&[0x3e, length], &parameters[..]].concat());
    }
}
