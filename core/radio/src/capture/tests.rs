//! The rules of a replay, each on a capture of a few records.

mod phone;

use chikaku_core::keys::RollingProximityIdentifier;
use chikaku_core::signal::RssiDbm;
use proptest::prelude::*;

use self::phone::{Heard, Phone};
use super::{Capture, CaptureInstant, CaptureOptions, CapturedScan, LiveScans, ScanningHost};
use crate::btsnoop::{BtsnoopError, DataLink, RecordStream};
use crate::hci::ScanCommands;

/// What a scan handed over: milliseconds, dBm, first byte of the identifier.
fn sightings(capture: &Capture, scan: usize) -> Vec<(i64, Option<i8>, u8)> {
    let in_short = |sighting: &super::CapturedSighting| {
        let millis = sighting.heard_at.unix_micros() / 1000;
        let identifier = sighting.advertisement.identifier.as_bytes()[0];
        (millis, sighting.rssi.map(RssiDbm::dbm), identifier)
    };
    capture.scans()[scan].sightings.iter().map(in_short).collect()
}

fn each_generation(mut check: impl FnMut(Phone, ScanCommands)) {
    for commands in [ScanCommands::Extended, ScanCommands::Legacy] {
        for data_link in [DataLink::H4, DataLink::LinuxMonitor] {
            check(Phone::new(data_link, commands), commands);
        }
    }
}

#[test]
fn an_advertisement_that_cannot_be_scanned_is_delivered_at_once() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::not_scannable(1, -70));
        phone.end_scan(5000);
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1500, Some(-70), 1)]);
        let scan = capture.scans()[0].to_scan_result();
        assert_eq!((scan.started.unix_seconds(), scan.ended.unix_seconds()), (1, 5));
        assert_eq!(scan.received[0].heard_at.unix_seconds(), 1);
        assert_eq!(scan.received[0].rssi, RssiDbm::new(-70).ok());
    });
}

#[test]
fn a_scannable_one_needs_its_response_and_takes_its_strength_and_time() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::scannable(1, -70));
        phone.hear(1501, Heard::response(1, -60));
        // A second response answers nothing that is still kept.
        phone.hear(1502, Heard::response(1, -50));
        phone.hear(2000, Heard::scannable(2, -70));
        phone.hear(2001, Heard::response(3, -60));
        phone.end_scan(5000);
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1501, Some(-60), 1)]);
        let report = capture.report();
        assert_eq!((report.scannable, report.scannable_delivered), (2, 1));
        assert_eq!((report.reports, report.irrelevant_reports), (5, 2));
    });
}

#[test]
fn a_new_advertisement_replaces_the_one_that_waits() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::scannable(1, -70).identifier(7));
        phone.hear(1600, Heard::scannable(1, -71).identifier(8));
        phone.hear(1601, Heard::response(1, -60));
        // Also if the new one is of another service.
        phone.hear(1700, Heard::scannable(1, -70).identifier(7));
        phone.hear(1800, Heard::scannable(1, -70).of_another_service());
        phone.hear(1801, Heard::response(1, -60));
        phone.end_scan(5000);
        assert_eq!(sightings(&phone.replay(), 0), [(1601, Some(-60), 8)]);
    });
}

#[test]
fn the_host_waits_for_responses_whether_or_not_the_service_scans() {
    each_generation(|mut phone, _| {
        phone.hear(999, Heard::scannable(1, -70));
        phone.begin_scan(1000);
        phone.hear(1001, Heard::response(1, -60));
        phone.hear(4900, Heard::scannable(2, -70));
        phone.end_scan(5000);
        phone.hear(5001, Heard::response(2, -60));
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1001, Some(-60), 1)]);
        assert_eq!(capture.report().outside_scans, 1);
    });
}

#[test]
fn the_end_of_a_scan_loses_what_is_still_on_its_way_up() {
    each_generation(|mut phone, commands| {
        phone.begin_scan(1000);
        for (identifier, at) in (1..).zip([4970, 4983, 4984, 4993, 4994, 4999]) {
            phone.hear(at, Heard::not_scannable(identifier, -70));
        }
        phone.end_scan(5000);
        let capture = phone.replay();
        let delivered = if commands == ScanCommands::Extended { 4 } else { 2 };
        assert_eq!(sightings(&capture, 0).len(), delivered);
        assert_eq!(capture.report().too_late, 6 - delivered as u64);
    });
}

#[test]
fn only_the_filter_of_the_service_begins_and_ends_a_scan() {
    each_generation(|mut phone, _| {
        phone.add_filter(500, 4, 0xfd68);
        phone.hear(600, Heard::not_scannable(1, -70));
        phone.begin_scan(1000);
        phone.delete_filter(1100, 4);
        phone.hear(1500, Heard::not_scannable(2, -70));
        phone.end_scan(5000);
        phone.begin_scan(9000);
        phone.clear_filters(9500);
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1500, Some(-70), 2)]);
        assert_eq!(capture.scans().len(), 2);
        assert_eq!(capture.scans()[1].ended.unix_micros(), 9_500_000);
        assert_eq!(capture.report().outside_scans, 1);
    });
}

#[test]
fn a_silence_of_the_phone_is_a_stop_of_the_service() {
    each_generation(|mut phone, _| {
        phone.reset(0);
        // The first scan begins before the first advertisement, as on real phones.
        phone.begin_scan(10_000);
        phone.advertise(10_010, 1);
        phone.end_scan(14_000);
        // A change of identifier around the beginning of a scan.
        phone.silence(299_990);
        phone.begin_scan(300_000);
        phone.advertise(300_040, 2);
        phone.end_scan(304_000);
        // Stopped and started by hand.
        phone.silence(310_000);
        phone.begin_scan(314_000);
        phone.advertise(314_150, 2);
        phone.end_scan(318_000);
        phone.begin_scan(600_000);
        phone.end_scan(604_000);
        let capture = phone.replay();
        let starts: Vec<_> = capture.scans().iter().map(|scan| scan.first_of_service).collect();
        assert_eq!(starts, [true, false, true, false]);
        let advertised: Vec<_> = capture
            .advertised()
            .iter()
            .map(|own| (own.first_used.unix_micros(), own.advertisement.identifier))
            .collect();
        let identifier = |byte| RollingProximityIdentifier::from_bytes([byte; 16]);
        assert_eq!(advertised, [(10_010_000, identifier(1)), (300_040_000, identifier(2))]);
    });
}

#[test]
fn a_phone_that_cannot_advertise_is_not_always_starting() {
    each_generation(|mut phone, _| {
        phone.reset(0);
        for begin in [10_000, 300_000] {
            phone.begin_scan(begin);
            phone.end_scan(begin + 4000);
        }
        let capture = phone.replay();
        let starts: Vec<_> = capture.scans().iter().map(|scan| scan.first_of_service).collect();
        assert_eq!(starts, [true, false]);
        assert!(capture.advertised().is_empty());
    });
}

#[test]
fn a_reset_ends_scan_and_service() {
    each_generation(|mut phone, _| {
        phone.advertise(500, 1);
        phone.begin_scan(1000);
        phone.reset(2000);
        phone.hear(2500, Heard::not_scannable(2, -70));
        phone.begin_scan(8000);
        phone.advertise(8100, 1);
        phone.end_scan(12_000);
        let capture = phone.replay();
        assert_eq!(capture.scans()[0].ended.unix_micros(), 2_000_000);
        assert!(capture.scans()[1].first_of_service);
        assert_eq!(capture.report().outside_scans, 1);
    });
}

#[test]
fn missing_strength_is_no_number() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::not_scannable(1, 127));
        phone.end_scan(5000);
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1500, None, 1)]);
        assert_eq!(capture.report().unmeasured, 1);
    });
}

#[test]
fn two_reports_in_one_event_are_two_sightings() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear_together(1500, &[Heard::scannable(1, -70), Heard::response(1, -65)]);
        phone.hear_together(
            1600,
            &[Heard::not_scannable(2, -70), Heard::not_scannable(3, -80).shortened()],
        );
        phone.end_scan(5000);
        let capture = phone.replay();
        assert_eq!(sightings(&capture, 0), [(1500, Some(-65), 1), (1600, Some(-70), 2)]);
        assert_eq!((capture.report().reports, capture.report().malformed_reports), (3, 1));
    });
}

#[test]
fn what_the_service_cannot_decode_is_counted() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::not_scannable(1, -70).with_short_service_data());
        phone.hear(1600, Heard::not_scannable(1, -70).of_another_service());
        phone.command(1700, &[0x57, 0xfd, 9, 7]);
        phone.end_scan(5000);
        let capture = phone.replay();
        assert_eq!(capture.scans()[0].to_scan_result().malformed, 1);
        let report = capture.report();
        assert_eq!((report.malformed_advertisements, report.irrelevant_reports), (1, 1));
        assert_eq!(report.malformed_packets, 1);
    });
}

#[test]
fn a_cut_log_is_replayed_up_to_the_cut() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::not_scannable(1, -70));
        phone.end_scan(5000);
        let file = phone.file();
        let cut = &file[..file.len() - 1];
        let capture = Capture::read(cut, &CaptureOptions::default()).unwrap();
        assert_eq!(sightings(&capture, 0), [(1500, Some(-70), 1)]);
        let stopped = capture.report().stopped;
        assert!(matches!(stopped, Some(BtsnoopError::RecordTruncated { .. })), "{stopped:?}");
        assert!(capture.report().ends_during_scan);
        assert_eq!(capture.scans()[0].ended.unix_micros(), 1_500_000);
        assert!(Capture::read(&file[..15], &CaptureOptions::default()).is_err());
    });
}

#[test]
fn stamps_are_local_time() {
    let mut phone = Phone::new(DataLink::H4, ScanCommands::Extended);
    phone.begin_scan(7_201_000);
    phone.end_scan(7_205_000);
    let options = CaptureOptions { utc_offset_seconds: 7200, ..CaptureOptions::default() };
    let capture = Capture::read(phone.file(), &options).unwrap();
    assert_eq!(capture.scans()[0].started.unix_micros(), 1_000_000);
    let options = CaptureOptions { utc_offset_seconds: 7203, ..CaptureOptions::default() };
    let report = Capture::read(phone.file(), &options).unwrap().report().clone();
    assert_eq!((report.unusable_times, report.records), (2, 3));
}

#[test]
fn a_look_up_cuts_scans_and_sightings() {
    each_generation(|mut phone, _| {
        phone.begin_scan(1000);
        phone.hear(1500, Heard::not_scannable(1, -70));
        phone.hear(1600, Heard::not_scannable(2, -70));
        phone.end_scan(5000);
        phone.begin_scan(300_000);
        phone.end_scan(304_000);
        let cut_at = CaptureInstant::from_unix_micros(1_600_000);
        let options = CaptureOptions { cut_at, ..CaptureOptions::default() };
        let capture = Capture::read(phone.file(), &options).unwrap();
        assert_eq!(capture.scans().len(), 1);
        assert_eq!(sightings(&capture, 0), [(1500, Some(-70), 1)]);
        assert_eq!(capture.report().after_cut, 1);
    });
}

#[test]
fn other_controllers_are_left_out() {
    let mut phone = Phone::new(DataLink::LinuxMonitor, ScanCommands::Extended);
    phone.begin_scan(1000);
    phone.end_scan(5000);
    let options = CaptureOptions { controller: 1, ..CaptureOptions::default() };
    let capture = Capture::read(phone.file(), &options).unwrap();
    assert!(capture.scans().is_empty());
    assert_eq!(capture.report().other_controllers, capture.report().records);
}

const LINUX: CaptureOptions = CaptureOptions {
    utc_offset_seconds: 0,
    host: ScanningHost::Linux,
    format: chikaku_core::advertisement::AdvertisementFormat { service_uuid: 0xfd6f },
    controller: 0,
    cut_at: None,
};

/// The scans of a node that follows the capture as it is written.
fn followed(file: &[u8], piece: usize) -> Vec<CapturedScan> {
    let mut scans = LiveScans::new(LINUX);
    let mut finished = Vec::new();
    let mut stream = RecordStream::new();
    for bytes in file.chunks(piece) {
        stream
            .receive(bytes, |record, _| {
                scans.record(record);
                let now = CaptureInstant::from_unix_micros(record.stamped_micros).unwrap();
                finished.extend(scans.take_finished(now));
            })
            .unwrap();
    }
    let end = CaptureInstant::from_unix_micros(i64::from(u32::MAX) * 1_000_000).unwrap();
    finished.extend(scans.take_finished(end));
    finished
}

#[test]
fn linux_scans_while_its_controller_does_and_waits_for_no_response() {
    each_generation(|mut phone, _| {
        phone.hear(900, Heard::not_scannable(9, -70));
        phone.scanner(1000, true);
        phone.hear(1500, Heard::scannable(1, -70));
        phone.hear(1501, Heard::response(1, -60));
        // The kernel restarts its scanner.
        phone.scanner(2000, false);
        phone.hear(2051, Heard::not_scannable(9, -70));
        phone.scanner(2999, true);
        phone.hear(4000, Heard::not_scannable(2, -71));
        phone.scanner(5000, false);
        // Was on its way when the scanner was switched off.
        phone.hear(5050, Heard::not_scannable(4, -73));
        phone.scanner(6000, true);
        phone.hear(6100, Heard::not_scannable(3, -72));
        phone.scanner(7000, false);
        let capture = Capture::read(phone.file(), &LINUX).unwrap();
        let times = |scan: &CapturedScan| (scan.started.unix_micros(), scan.ended.unix_micros());
        let found: Vec<_> = capture.scans().iter().map(times).collect();
        assert_eq!(found, [(1_000_000, 5_000_000), (6_000_000, 7_000_000)]);
        let first = [(1500, Some(-70), 1), (4000, Some(-71), 2), (5000, Some(-73), 4)];
        assert_eq!(sightings(&capture, 0), first);
        assert_eq!(capture.report().outside_scans, 2);
        assert_eq!(sightings(&capture, 1), [(6100, Some(-72), 3)]);
        let starts: Vec<_> = capture.scans().iter().map(|scan| scan.first_of_service).collect();
        assert_eq!(starts, [true, false]);
        assert!(!capture.report().ends_during_scan);
        for piece in [1, 7, 100_000] {
            assert_eq!(followed(phone.file(), piece), capture.scans());
        }
    });
}

#[test]
fn a_reset_ends_a_scan_of_linux() {
    each_generation(|mut phone, _| {
        phone.scanner(1000, true);
        phone.reset(2000);
        phone.hear(2500, Heard::not_scannable(2, -70));
        phone.scanner(9000, true);
        let capture = Capture::read(phone.file(), &LINUX).unwrap();
        assert_eq!(capture.scans()[0].ended.unix_micros(), 2_000_000);
        assert_eq!(capture.scans().len(), 2);
        assert_eq!((sightings(&capture, 0).len(), capture.report().outside_scans), (0, 1));
        assert!(capture.report().ends_during_scan);
    });
}

proptest! {
    #[test]
    fn no_records_panic(
        packets in prop::collection::vec(
            (any::<i64>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)),
            0..12,
        ),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        offset: i32,
    ) {
        let mut phone = Phone::new(DataLink::H4, ScanCommands::Extended);
        phone.begin_scan(1000);
        phone.advertise(1001, 1);
        phone.hear_together(1500, &[Heard::scannable(1, -70), Heard::response(1, -65)]);
        for (micros, command, packet) in packets {
            phone.raw(micros, command, &packet);
        }
        phone.end_scan(5000);
        let mut file = phone.file().to_vec();
        for (index, value) in flips {
            let at = index.index(file.len());
            file[at] = value;
        }
        let options = CaptureOptions { utc_offset_seconds: offset, ..CaptureOptions::default() };
        if let Ok(capture) = Capture::read(&file, &options) {
            for scan in capture.scans() {
                let _ = scan.to_scan_result();
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Capture::read(&bytes, &CaptureOptions::default());
        let phone = Phone::new(DataLink::LinuxMonitor, ScanCommands::Legacy);
        let _ = Capture::read(&[phone.file(), &bytes].concat(), &CaptureOptions::default());
    }
}
