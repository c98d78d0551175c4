//! The plain matcher: tolerance, own keys, order and repetition.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading, ClockWatch, RecordStamp};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{KeyList, PublishedKey};
use chikaku_core::keys::{AssociatedEncryptedMetadata, TemporaryExposureKey};
use chikaku_core::matching::{MatchReport, Matcher, MatchingRules, SightingIndex};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use proptest::prelude::*;

const START: IntervalNumber = IntervalNumber::new(2_642_976);

fn key(number: u8) -> DiagnosisKey {
    DiagnosisKey::new([number; 16], START, RollingPeriod::DAY, DiagnosisKeyDetails::default())
}

fn published(key: DiagnosisKey) -> PublishedKey {
    PublishedKey::new(key, KeyList::New)
}

/// A sighting of `key`'s identifier of the `offset`th interval at `heard_at`.
fn sighting(key: &DiagnosisKey, offset: u32, heard_at: Timestamp) -> Sighting {
    let interval = START.checked_add(offset).unwrap();
    Sighting {
        heard_at,
        previous_scan_ended: None,
        rssi: None,
        advertisement: Advertisement {
            identifier: key.identifier_key().identifier(interval),
            metadata: AssociatedEncryptedMetadata::from_bytes([0; 4]),
        },
        stamp: None,
    }
}

fn matched(
    sightings: &[Sighting],
    keys: impl IntoIterator<Item = PublishedKey>,
    rules: MatchingRules,
) -> MatchReport {
    let heard: SightingIndex = sightings.iter().copied().collect();
    let mut matcher = Matcher::new(&heard, rules);
    keys.into_iter().for_each(|key| matcher.check(key, None));
    matcher.finish()
}

#[test]
fn two_hours_before_and_after_are_inclusive() {
    let offset = 60;
    let interval = START.checked_add(offset).unwrap();
    let first = IntervalNumber::new(interval.get() - 12).start();
    let last = IntervalNumber::new(interval.get() + 13).start().saturating_sub(1);
    for (heard_at, counts) in [
        (first.saturating_sub(1), false),
        (first, true),
        (interval.start(), true),
        (last, true),
        (last.saturating_add(1), false),
    ] {
        let report = matched(
            &[sighting(&key(1), offset, heard_at)],
            [published(key(1))],
            MatchingRules::default(),
        );
        assert_eq!(report.matches.len(), usize::from(counts), "{heard_at:?}");
        assert_eq!(report.near_misses.keys, u64::from(!counts), "{heard_at:?}");
    }
}

#[test]
fn every_interval_of_the_rolling_period_and_none_beyond() {
    let short = DiagnosisKey::new(
        [1; 16],
        START,
        RollingPeriod::new(10).unwrap(),
        DiagnosisKeyDetails::default(),
    );
    let heard = |offset: u32| sighting(&short, offset, START.checked_add(offset).unwrap().start());
    let sightings: Vec<_> = (0..144).map(heard).collect();
    let report = matched(&sightings, [published(short)], MatchingRules::default());
    let offsets: Vec<_> =
        report.matches[0].identifiers.iter().map(|i| i.interval.get() - START.get()).collect();
    assert_eq!(offsets, (0..10).collect::<Vec<_>>());
}

#[test]
fn own_keys_are_excluded() {
    let sightings = [sighting(&key(1), 3, START.start()), sighting(&key(2), 3, START.start())];
    let heard: SightingIndex = sightings.into_iter().collect();
    let own = [TemporaryExposureKey::from_stored([1; 16], START, RollingPeriod::DAY)];
    let mut matcher = Matcher::new(&heard, MatchingRules::default()).excluding(&own);
    matcher.check(published(key(1)), None);
    matcher.check(published(key(2)), None);
    let report = matcher.finish();
    assert_eq!((report.keys_checked, report.own_keys_excluded), (2, 1));
    assert_eq!(report.matches.len(), 1);
    assert_eq!(report.matches[0].published.key.as_bytes(), &[2; 16]);
}

#[test]
fn an_identifier_is_believed_for_its_lifetime_and_the_rest_is_counted() {
    let start = START.start();
    let sightings = [0, 1200, 1800, 1801].map(|s| sighting(&key(1), 2, start.saturating_add(s)));
    for (lifetime, kept, dropped) in [(Some(1800), 3, 1), (Some(1200), 2, 2), (None, 4, 0)] {
        let rules =
            MatchingRules { identifier_lifetime_seconds: lifetime, ..MatchingRules::default() };
        let report = matched(&sightings, [published(key(1))], rules);
        assert_eq!(report.matches[0].sightings().len(), kept);
        assert_eq!(report.matches[0].dropped.after_identifier_lifetime, dropped);
    }
}

#[test]
fn a_revision_prevails_in_any_order() {
    let revised = DiagnosisKeyDetails {
        report_type: Some(ReportType::Revoked),
        ..DiagnosisKeyDetails::default()
    };
    let original = DiagnosisKeyDetails {
        report_type: Some(ReportType::SelfReport),
        transmission_risk_level: Some(8),
        ..DiagnosisKeyDetails::default()
    };
    let record = |list, details| {
        PublishedKey::new(DiagnosisKey::new([1; 16], START, RollingPeriod::DAY, details), list)
    };
    let (original, revised) = (record(KeyList::New, original), record(KeyList::Revised, revised));
    let sightings = [sighting(&key(1), 3, START.start())];
    for order in [[original, revised], [revised, original]] {
        let report = matched(&sightings, order, MatchingRules::default());
        let published = report.matches[0].published;
        assert_eq!((published.key, published.list), (revised.key, revised.list));
        assert_eq!(published.grounds().iter().count(), 2);
    }
}

#[test]
fn one_key_under_two_rolling_starts_is_one_key() {
    let later = DiagnosisKey::new(
        [1; 16],
        START.checked_add(1).unwrap(),
        RollingPeriod::new(143).unwrap(),
        DiagnosisKeyDetails::default(),
    );
    let sightings = [5, 9].map(|n| {
        let heard_at = START.checked_add(n).unwrap().start();
        sighting(&key(1), n, heard_at)
    });
    for order in [[key(1), later], [later, key(1)]] {
        let report = matched(&sightings, order.map(published), MatchingRules::default());
        assert_eq!(report.matches.len(), 1);
        assert_eq!(report.matches[0].identifiers.len(), 2);
        assert_eq!(report.matches[0].published.key, key(1));
    }
}

#[test]
fn a_withdrawal_prevails_over_a_record_that_says_more() {
    let record =
        |details| published(DiagnosisKey::new([1; 16], START, RollingPeriod::DAY, details));
    let withdrawn = record(DiagnosisKeyDetails {
        report_type: Some(ReportType::Revoked),
        ..DiagnosisKeyDetails::default()
    });
    let wordy = record(DiagnosisKeyDetails {
        transmission_risk_level: Some(8),
        report_type: Some(ReportType::SelfReport),
        ..DiagnosisKeyDetails::default()
    });
    assert_eq!(withdrawn.prevailing(wordy).key, withdrawn.key);
    assert_eq!(wordy.prevailing(withdrawn), withdrawn.prevailing(wordy));
}

#[test]
fn nothing_heard_after_a_key_was_public_counts() {
    let start = START.start();
    let mut clock = ClockWatch::default();
    // The wall clock stands still: only what cannot be set tells before from after.
    let mut stamp = |monotonic_seconds| {
        clock.read(ClockReading { wall: start, monotonic_seconds, boot: BootId::UNKNOWN });
        clock.stamp().unwrap()
    };
    let [before, available, after, much_later] = [100, 160, 220, 9_000].map(&mut stamp);
    let heard = |stamps: &[RecordStamp]| -> SightingIndex {
        let at = |(number, stamp): (u32, &RecordStamp)| Sighting {
            stamp: Some(*stamp),
            ..sighting(&key(1), 0, start.saturating_add(number))
        };
        (0..).zip(stamps).map(at).collect()
    };
    let both = heard(&[before, before, after]);
    let run = |heard: &SightingIndex, checks: &dyn Fn(&mut Matcher<'_>)| {
        let mut matcher = Matcher::new(heard, MatchingRules::default());
        checks(&mut matcher);
        matcher.finish()
    };
    let report = run(&both, &|matcher| matcher.check(published(key(1)), Some(available)));
    assert_eq!(report.matches[0].sightings().len(), 2);
    assert_eq!(report.matches[0].dropped.after_publication, 1);
    // The first availability counts, whatever comes later, and whether or not it matched.
    let report = run(&both, &|matcher| {
        matcher.check_again(published(key(1)), Some(available));
        matcher.check(published(key(1)), Some(much_later));
    });
    assert_eq!(report.matches[0].first_available, Some(available));
    let report = run(&heard(&[after]), &|matcher| {
        matcher.check_again(published(key(1)), Some(available));
        matcher.check(published(key(1)), Some(much_later));
    });
    assert!(report.matches.is_empty());
    assert_eq!(report.near_misses.keys, 1);
    // Without a stamp nobody knows, and the sighting is taken at its word.
    let unknown: SightingIndex = [sighting(&key(1), 0, start)].into_iter().collect();
    let report = run(&unknown, &|matcher| matcher.check(published(key(1)), Some(before)));
    assert_eq!(report.matches.len(), 1);
}

#[test]
fn what_was_heard_at_a_suspect_time_waits() {
    let mut heard = SightingIndex::new();
    heard.insert_suspect(&sighting(&key(1), 3, START.start()));
    heard.insert(sighting(&key(2), 3, START.start()));
    let mut matcher = Matcher::new(&heard, MatchingRules::default());
    matcher.check(published(key(1)), None);
    matcher.check(published(key(2)), None);
    let report = matcher.finish();
    assert_eq!(report.matches.len(), 1);
    assert_eq!(report.near_misses.sightings.clock_suspect, 1);
    assert_eq!(report.heard_at_suspect_time, [(published(key(1)), None)]);
}

proptest! {
    /// Any permutation and repetition of the keys, and any order of the log, gives one result.
    #[test]
    fn order_and_repetition_change_nothing(
        heard in proptest::collection::vec((0_u8..12, 0_u32..144, 0_u32..172_800), 0..60),
        keys in proptest::collection::vec(0_u8..12, 0..40),
        seed in any::<u64>(),
    ) {
        let sightings: Vec<_> = heard
            .iter()
            .map(|&(k, offset, s)| {
                let heard_at = START.start().saturating_sub(43_200).saturating_add(s);
                sighting(&key(k), offset, heard_at)
            })
            .collect();
        let once: std::collections::BTreeSet<_> = keys.iter().copied().collect();
        let plain = matched(&sightings, once.iter().map(|&k| published(key(k))), MatchingRules::default());

        let (mut shuffled_log, mut shuffled_keys) = (sightings, keys);
        shuffle(&mut shuffled_log, seed);
        shuffle(&mut shuffled_keys, !seed);
        let other = matched(&shuffled_log, shuffled_keys.iter().map(|&k| published(key(k))), MatchingRules::default());
        prop_assert_eq!(plain.matches, other.matches);
        prop_assert_eq!(plain.near_misses, other.near_misses);
    }
}

fn shuffle<T>(items: &mut [T], mut state: u64) {
    for last in (1..items.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
    }
}
