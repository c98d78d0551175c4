//! Walks through the records of a capture and puts the rules together.

use chikaku_core::advertisement::Advertisement;

use super::delivery::{Delivery, ResponsePairing};
use super::filters::ServiceFilters;
use super::ownership::OwnAdvertising;
use super::{
    Capture, CaptureInstant, CaptureOptions, CaptureReport, CapturedScan, CapturedSighting,
    ScanningHost,
};
use crate::btsnoop::{Record, RecordKind, Records};
use crate::hci::{AdvertisingReport, AdvertisingReports, Command, ScanCommands};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Linux: what lies closer together than this is one scan. Its longest restart of the scanner that
/// was seen took 60 ms; the shortest pause between two scans that are planned is three minutes.
const LONGEST_RESTART_MICROS: i64 = MICROS_PER_SECOND;
/// Linux: how long after the command that switches the scanner off a report may still come. The
/// controller has heard it before it obeyed, and the kernel hands it on.
const SWITCHING_OFF_MICROS: i64 = 50_000;

/// Whether the controller scans, where that says when the service does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scanner {
    Off,
    On,
    /// Off since then, and perhaps about to be switched on again.
    Restarting(CaptureInstant),
}

pub(super) fn replay(records: Records<'_>, options: &CaptureOptions) -> Capture {
    let mut replay = Replay::new(*options);
    for record in records {
        match record {
            Ok(record) => replay.record(&record),
            Err(error) => replay.report.stopped = Some(error),
        }
    }
    replay.finish()
}

pub(super) struct Replay {
    options: CaptureOptions,
    filters: ServiceFilters,
    pairing: ResponsePairing,
    own: OwnAdvertising,
    /// The generation of scan commands last used.
    commands: ScanCommands,
    scanner: Scanner,
    running: Option<CapturedScan>,
    scans: Vec<CapturedScan>,
    scans_begun: u64,
    last_record: Option<CaptureInstant>,
    report: CaptureReport,
}

impl Replay {
    pub(super) fn new(options: CaptureOptions) -> Self {
        Self {
            options,
            filters: ServiceFilters::default(),
            pairing: ResponsePairing::of(options.host),
            own: OwnAdvertising::new(),
            commands: ScanCommands::Extended,
            scanner: Scanner::Off,
            running: None,
            scans: Vec::new(),
            scans_begun: 0,
            last_record: None,
            report: CaptureReport::default(),
        }
    }

    pub(super) fn record(&mut self, record: &Record<'_>) {
        self.report.records += 1;
        self.report.lost_by_logger = self.report.lost_by_logger.max(record.lost);
        if record.controller != self.options.controller {
            self.report.other_controllers += 1;
            return;
        }
        let offset = i64::from(self.options.utc_offset_seconds) * MICROS_PER_SECOND;
        let utc_micros = record.stamped_micros.checked_sub(offset);
        let Some(at) = utc_micros.and_then(CaptureInstant::from_unix_micros) else {
            self.report.unusable_times += 1;
            return;
        };
        self.last_record = Some(at);
        self.pass(at);
        match record.kind {
            RecordKind::Command => match Command::decode(record.packet) {
                Ok(command) => self.command(at, command),
                Err(_) => self.report.malformed_packets += 1,
            },
            RecordKind::Event => self.event(at, record.packet),
            RecordKind::Data | RecordKind::Other => self.report.other_packets += 1,
        }
    }

    fn command(&mut self, at: CaptureInstant, command: Command<'_>) {
        let format = self.options.format;
        match command {
            Command::Reset => {
                self.filters.clear();
                self.pairing.forget();
                self.own.reset(at);
                self.scanner_switched(at, false);
                self.scan_begins_or_ends(at);
            }
            Command::ScanEnable { commands, enabled } => {
                self.commands = commands;
                self.scanner_switched(at, enabled);
            }
            Command::AdvertisingData { set, operation, data } => {
                self.own.set_data(at, format, set, operation, data);
            }
            Command::AdvertisingEnable { sets, enabled } => self.own.enable(at, sets, enabled),
            Command::AdvertisingRemove { sets } => self.own.remove(at, sets),
            Command::Filter(filter) => {
                self.filters.apply(filter, format.service_uuid);
                self.scan_begins_or_ends(at);
            }
            Command::Other { .. } => {}
        }
    }

    /// Linux: notes what the controller does.
    fn scanner_switched(&mut self, at: CaptureInstant, on: bool) {
        if self.options.host != ScanningHost::Linux {
            return;
        }
        self.scanner = match (on, self.scanner) {
            (true, Scanner::Off) => {
                // How long the service was silent says nothing here: a computer may only listen.
                self.running = Some(CapturedScan::begin(at, self.scans_begun == 0));
                self.scans_begun += 1;
                Scanner::On
            }
            (true, Scanner::On | Scanner::Restarting(_)) => Scanner::On,
            (false, Scanner::On) => Scanner::Restarting(at),
            (false, scanner) => scanner,
        };
    }

    /// Time passes: a scanner that has been off for too long is not restarting.
    pub(super) fn pass(&mut self, now: CaptureInstant) {
        if let Scanner::Restarting(since) = self.scanner
            && now.micros_since(since) >= LONGEST_RESTART_MICROS
        {
            self.scanner = Scanner::Off;
            if let Some(mut scan) = self.running.take() {
                scan.ended = since;
                self.scans.push(scan);
            }
        }
    }

    /// The scans that are over, each handed out once.
    pub(super) fn take_scans(&mut self) -> Vec<CapturedScan> {
        core::mem::take(&mut self.scans)
    }

    /// Ends the running scan, if there is one, and begins the next.
    pub(super) fn cut(&mut self, now: CaptureInstant) -> Option<CapturedScan> {
        let running = self.running.as_mut()?;
        let mut scan = core::mem::replace(running, CapturedScan::begin(now, false));
        scan.ended = now;
        Some(scan)
    }

    fn scan_begins_or_ends(&mut self, at: CaptureInstant) {
        if self.options.host != ScanningHost::Android {
            return;
        }
        match (self.filters.any(), self.running.take()) {
            (true, None) => {
                let first_of_service = self.scans.is_empty() || self.own.service_stopped_before(at);
                self.running = Some(CapturedScan::begin(at, first_of_service));
            }
            (false, Some(mut scan)) => {
                count(&mut self.report.too_late, scan.stop(at, self.commands));
                self.scans.push(scan);
            }
            (_, running) => self.running = running,
        }
    }

    fn event(&mut self, at: CaptureInstant, packet: &[u8]) {
        match AdvertisingReports::from_event(packet) {
            Ok(None) => {}
            Ok(Some(reports)) => {
                for report in reports {
                    match report {
                        Ok(report) => self.advertising_report(at, &report),
                        Err(_) => self.report.malformed_reports += 1,
                    }
                }
            }
            Err(_) => self.report.malformed_packets += 1,
        }
    }

    fn advertising_report(&mut self, at: CaptureInstant, report: &AdvertisingReport<'_>) {
        self.report.reports += 1;
        match self.pairing.receive(self.options.format, report) {
            Delivery::Delivered(advertisement) => self.sighting(at, report, advertisement),
            Delivery::AwaitsResponse => self.report.scannable += 1,
            Delivery::Malformed => {
                self.report.malformed_advertisements += 1;
                if let Some(scan) = &mut self.running {
                    scan.malformed = scan.malformed.saturating_add(1);
                }
            }
            Delivery::Partial => self.report.partial_reports += 1,
            Delivery::Unreadable => self.report.unreadable_reports += 1,
            Delivery::Irrelevant => self.report.irrelevant_reports += 1,
        }
    }

    fn sighting(
        &mut self,
        heard_at: CaptureInstant,
        report: &AdvertisingReport<'_>,
        advertisement: Advertisement,
    ) {
        // What was on its way when the scanner was switched off was heard at that moment at the latest.
        let (heard_at, too_late) = match self.scanner {
            Scanner::Restarting(since) => {
                (since, heard_at.micros_since(since) > SWITCHING_OFF_MICROS)
            }
            Scanner::On | Scanner::Off => (heard_at, false),
        };
        let Some(scan) = self.running.as_mut().filter(|_| !too_late) else {
            self.report.outside_scans += 1;
            return;
        };
        let rssi = report.rssi.ok();
        self.report.unmeasured += u64::from(rssi.is_none());
        self.report.scannable_delivered += u64::from(report.scan_response);
        scan.sightings.push(CapturedSighting { heard_at, rssi, advertisement });
    }

    fn finish(mut self) -> Capture {
        if let (Some(mut scan), Some(last_record)) = (self.running.take(), self.last_record) {
            if let Scanner::Restarting(since) = self.scanner {
                scan.ended = since;
            } else {
                self.report.ends_during_scan = true;
                scan.ended = last_record;
            }
            self.scans.push(scan);
        }
        if let Some(cut_at) = self.options.cut_at {
            for scan in &mut self.scans {
                let dropped = scan.keep_sightings(|sighting| sighting.heard_at < cut_at);
                count(&mut self.report.after_cut, dropped);
            }
            self.scans.retain(|scan| scan.started < cut_at);
        }
        let advertised = self.own.into_advertised();
        if advertised.is_empty() {
            // A phone that cannot advertise is always silent, which then says nothing.
            for scan in self.scans.iter_mut().skip(1) {
                scan.first_of_service = false;
            }
        }
        Capture { scans: self.scans, advertised, report: self.report }
    }
}

fn count(counter: &mut u64, more: usize) {
    *counter = counter.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
}
