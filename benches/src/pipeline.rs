//! From the file to the matches: parse, verify, inflate, match; and a country's fortnight.

use std::hint::black_box;
use std::time::Duration;

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{
    ExportError, ExportWriter, KeyExport, KeyIdentity, Limits, SigningKey, TrustedKeys,
    WrittenExport,
};
use chikaku_core::exposure::{WindowOrigin, WindowRules, exposure_windows, measure};
use chikaku_core::matching::{Matcher, MatchingRules, SightingIndex};
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::risk::Infectiousness;
use chikaku_core::risk::daily_summary::{DailySummariesConfig, daily_summary};
use chikaku_core::signal::RssiDbm;
use prost::Message;

use crate::measured::{Contestant, cpu_time, in_turns};
use crate::peers::{Gaen, Peer};
use crate::row::Row;
use crate::world::{DAYS, Shape, Starts, World};

/// A signed file of these keys, each with a report type and days since onset as servers write
/// them, and the key that it verifies with.
///
/// # Panics
/// If the core cannot write a file, which would be its fault.
#[must_use]
pub fn key_file(keys: impl IntoIterator<Item = DiagnosisKey>) -> (WrittenExport, TrustedKeys) {
    let identity = KeyIdentity::new("benches", "v1");
    let signing = SigningKey::from_scalar(identity, &[7; 32]).expect("7 … 7 is a private key");
    let mut trusted = TrustedKeys::new();
    trusted.add(signing.trusted_key());
    let details = DiagnosisKeyDetails {
        report_type: Some(ReportType::ConfirmedTest),
        days_since_onset: DaysSinceOnset::new(2),
        ..DiagnosisKeyDetails::default()
    };
    let keys = keys.into_iter().map(|mut key| {
        key.details = details;
        key
    });
    let file = ExportWriter::new().keys(keys).signed_with(signing).write();
    (file.expect("these keys can be written"), trusted)
}

const LIMITS: Limits = Limits { export_bin_bytes: 1 << 30, keys: 10_000_000, ..Limits::DEFAULT };

/// Verifies an export and hands each key to `each`.
fn stream<'a>(
    export: KeyExport<'a, chikaku_core::export::Unverified>,
    trusted: &TrustedKeys,
    mut each: impl FnMut(chikaku_core::export::PublishedKey),
) -> Result<(), ExportError> {
    for key in export.verify(trusted)?.keys()? {
        each(key?);
    }
    Ok(())
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireKey {
    #[prost(bytes = "vec", optional, tag = "1")]
    key_data: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "3")]
    rolling_start: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    rolling_period: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireExport {
    #[prost(message, repeated, tag = "7")]
    keys: Vec<WireKey>,
}

/// The keys as a general protobuf parser reads them, all at once.
fn decoded(export_bin: &[u8]) -> Vec<DiagnosisKey> {
    use chikaku_core::time::{IntervalNumber, RollingPeriod};
    let message = export_bin.get(16..).unwrap_or_default();
    let keys = WireExport::decode(message).map(|export| export.keys).unwrap_or_default();
    keys.into_iter()
        .filter_map(|key| {
            let bytes = <[u8; 16]>::try_from(key.key_data?).ok()?;
            let start = IntervalNumber::new(u32::try_from(key.rolling_start?).ok()?);
            let period = u32::try_from(key.rolling_period.unwrap_or(144)).ok()?;
            let period = RollingPeriod::new(period).ok()?;
            Some(DiagnosisKey::new(bytes, start, period, DiagnosisKeyDetails::default()))
        })
        .collect()
}

/// Parsing, verifying, inflating, and file to matches beside the published design.
#[must_use]
pub fn rows(quick: bool) -> Vec<Row> {
    let (count, rounds) = if quick { (100_000, 3) } else { (500_000, 7) };
    let mut rows = Vec::new();
    let keys = World::new(0, Shape::Uniform, count, Starts::Aligned).keys;
    let (file, trusted) = key_file(keys.iter().map(|published| published.key));
    let bare = || KeyExport::from_files(&file.export_bin, Some(&file.export_sig), LIMITS);
    let open = || KeyExport::from_zip(&file.zip, LIMITS);
    let accepted = bare().accept_without_signature();
    let mut stages = vec![
        Contestant::new(count, || {
            if let Ok(Ok(keys)) = accepted.as_ref().map(|export| export.keys()) {
                black_box(keys.filter(Result::is_ok).count());
            }
        }),
        Contestant::new(count, || {
            let _ = black_box(bare().verify(&trusted));
        }),
        Contestant::new(count, || {
            let _ = black_box(open().and_then(KeyExport::accept_without_signature));
        }),
        Contestant::new(count, || {
            let _ = black_box(bare().accept_without_signature());
        }),
        Contestant::new(count, || {
            black_box(decoded(&file.export_bin).len());
        }),
    ];
    let ns = in_turns(rounds, &mut stages);
    drop(stages);
    let names = ["parse", "verify", "inflate and check", "check", "parse"];
    for (place, (name, ns)) in names.into_iter().zip(&ns).enumerate() {
        let implementation = if place == 4 { "prost" } else { "chikaku" };
        rows.push(Row { stage: Some(name), ..Row::keys("file", implementation, *ns) });
    }

    let sizes: &[usize] = if quick { &[10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    for &sightings in sizes {
        let world = World::new(sightings, Shape::Uniform, count.min(100_000), Starts::Aligned);
        let heard: SightingIndex = world.sightings.iter().copied().collect();
        let _ = heard.identifiers();
        let (file, trusted) = key_file(world.keys.iter().map(|published| published.key));
        let published = world.keys.iter().step_by(20).map(|published| published.key);
        let (small, _) = key_file(published);
        let mut gaen = Gaen::new(&world.sightings);
        let mut contestants = vec![
            Contestant::new(world.keys.len().div_ceil(20), || {
                black_box(gaen.matches(&mut decoded(&small.export_bin).iter()));
            }),
            Contestant::new(world.keys.len(), || {
                let mut matcher = Matcher::new(&heard, MatchingRules::default());
                let export =
                    KeyExport::from_files(&file.export_bin, Some(&file.export_sig), LIMITS);
                let streamed = stream(export, &trusted, |key| matcher.check(key, None));
                black_box((streamed.is_ok(), matcher.finish()));
            }),
            Contestant::new(world.keys.len(), || {
                let mut matcher = Matcher::new(&heard, MatchingRules::default());
                let export = KeyExport::from_files(&file.export_bin, None, LIMITS)
                    .accept_without_signature();
                if let Ok(Ok(keys)) = export.as_ref().map(|export| export.keys()) {
                    keys.flatten().for_each(|key| matcher.check(key, None));
                }
                black_box(matcher.finish());
            }),
        ];
        let ns = in_turns(rounds, &mut contestants);
        let stages = [
            ("gaen-published", "parse and match"),
            ("chikaku", "verify, parse and match"),
            ("chikaku", "check, parse and match"),
        ];
        for ((implementation, stage), &time) in stages.into_iter().zip(&ns) {
            rows.push(Row {
                stage: Some(stage),
                sightings: Some(sightings),
                log: Some("uniform"),
                times_published: ns.first().map(|published| published / time),
                ..Row::keys("file-to-matches", implementation, time)
            });
        }
    }
    rows
}

/// Building the index of a log, and windows and days of matched keys.
#[must_use]
pub fn log_and_windows(quick: bool) -> Vec<Row> {
    let rounds = if quick { 3 } else { 5 };
    let sizes: &[usize] = if quick { &[10_000] } else { &[10_000, 100_000, 1_000_000] };
    let mut rows = Vec::new();
    for &sightings in sizes {
        let world = World::new(sightings, Shape::Uniform, 0, Starts::Aligned);
        let ns = in_turns(
            rounds,
            &mut [Contestant::new(sightings, || {
                let heard: SightingIndex = world.sightings.iter().copied().collect();
                black_box(heard.identifiers());
            })],
        );
        let per_s = ns.first().map(|ns| 1e9 / ns);
        let row = Row { bench: "log-load", implementation: "chikaku", per_s, ..Row::default() };
        rows.push(Row { sightings: Some(sightings), ..row });
    }

    let world = met_for_hours();
    let heard: SightingIndex = world.sightings.iter().copied().collect();
    let mut matcher = Matcher::new(&heard, MatchingRules::default());
    world.keys.iter().for_each(|key| matcher.check(*key, None));
    let matches = matcher.finish().matches;
    let (rules, config) = (WindowRules::default(), DailySummariesConfig::cocoa());
    let mut windows = 0;
    let time = cpu_time(|| {
        for _ in 0..100 {
            for matched in &matches {
                let key = &matched.published.key;
                let origin = WindowOrigin {
                    key: key.hash(),
                    report_type: ReportType::ConfirmedTest,
                    infectiousness: Infectiousness::High,
                };
                let (measured, _) = measure(matched, &rules);
                let of_key = exposure_windows(&measured, &origin, &rules);
                let day = key.rolling_start().day();
                black_box(daily_summary(day, &of_key, day, &config));
                windows += of_key.len();
            }
        }
    });
    let per_s = Some(windows as f64 / time.as_secs_f64());
    rows.push(Row { bench: "windows", implementation: "chikaku", per_s, ..Row::default() });
    rows
}

/// A hundred keys, each heard every five minutes for three hours.
fn met_for_hours() -> World {
    let mut world = World::new(0, Shape::Uniform, 100, Starts::Aligned);
    world.sightings.clear();
    for published in &world.keys {
        let key = &published.key;
        let identifiers = key.identifier_key();
        let Ok(metadata) = BluetoothMetadata::from_bytes([0x40, 0xf4, 0, 0]) else { continue };
        for number in 0..36 {
            let heard_at = key.rolling_start().start().saturating_add(36_000 + number * 300);
            let identifier = identifiers.identifier(heard_at.interval());
            world.sightings.push(chikaku_core::sighting::Sighting {
                heard_at,
                previous_scan_ended: Some(heard_at.saturating_sub(300)),
                rssi: RssiDbm::try_from(-60_i16).ok(),
                advertisement: chikaku_core::advertisement::Advertisement {
                    identifier,
                    metadata: key.metadata_key().encrypt(&identifier, metadata),
                },
                stamp: None,
            });
        }
    }
    world
}

/// A country's fortnight against a full log: 14 files of `keys_a_day` keys, verified, parsed and
/// matched, against 14 × 340 scans × 30 sightings. Seconds of CPU time, and memory.
#[must_use]
pub fn fortnight(keys_a_day: usize) -> Row {
    let world = World::new(14 * 340 * 30, Shape::Uniform, 0, Starts::Aligned);
    let heard: SightingIndex = world.sightings.iter().copied().collect();
    let _ = heard.identifiers();
    let keys = World::new(0, Shape::Uniform, keys_a_day, Starts::Aligned).keys;
    let (mut time, mut memory_bytes) = (Duration::ZERO, 0);
    for day in 0..DAYS {
        // Other keys every day, without making a country's worth of random numbers each time.
        let of_the_day = keys.iter().map(|published| {
            let mut bytes = *published.key.as_bytes();
            bytes[15] ^= u8::try_from(day).unwrap_or_default();
            let key = &published.key;
            DiagnosisKey::new(bytes, key.rolling_start(), key.rolling_period(), key.details)
        });
        let (file, trusted) = key_file(of_the_day);
        time += cpu_time(|| {
            let mut matcher = Matcher::new(&heard, MatchingRules::default());
            let export = KeyExport::from_files(&file.export_bin, Some(&file.export_sig), LIMITS);
            let streamed = stream(export, &trusted, |key| matcher.check(key, None));
            memory_bytes = memory_bytes.max(matcher.memory_bytes());
            black_box((streamed.is_ok(), matcher.finish()));
        });
    }
    let keys = keys_a_day * DAYS as usize;
    Row {
        sightings: Some(world.sightings.len()),
        log: Some("uniform"),
        stage: Some("verify, parse and match"),
        seconds: Some(time.as_secs_f64()),
        memory_bytes: Some(memory_bytes),
        index_bytes: Some(heard.memory_bytes()),
        ..Row::keys("fortnight", "chikaku", time.as_secs_f64() * 1e9 / keys as f64)
    }
}
