//! Working only if nothing is wrong, and every reason listed.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::collections::BTreeSet;

use chikaku_core::status::coverage::ScanCoverage;
use chikaku_core::status::{
    AdvertisingFact, ClockFact, EngineFacts, Facts, FixableBy, HostFact, HostFacts, KeyFileFacts,
    LocationFact, LogFact, Reason, State, StatusRules, status,
};
use chikaku_core::time::{Timestamp, UtcDay};
use proptest::prelude::*;

fn now() -> Timestamp {
    UtcDay::new(20_000).start()
}

fn good() -> Facts {
    Facts {
        now: now(),
        rules: StatusRules::default(),
        host: HostFacts {
            supported: Some(true),
            bluetooth_on: Some(true),
            permission_granted: Some(true),
            location: Some(LocationFact::NotNeeded),
            notifications_allowed: Some(true),
        },
        engine: EngineFacts {
            switched_on: true,
            advertising: AdvertisingFact::Confirmed,
            coverage: Some(ScanCoverage {
                planned_seconds: 86_400,
                scanned_seconds: 80_000,
                ..ScanCoverage::default()
            }),
            trusted_keys: 1,
            key_files: KeyFileFacts {
                listed: 3,
                last_matched: Some(now().saturating_sub(3_600)),
                ..KeyFileFacts::default()
            },
            last_scan: Some(now().saturating_sub(60)),
            next_due: Some(now().saturating_add(60)),
            ..EngineFacts::default()
        },
    }
}

/// Something that goes wrong, and what must be said about it.
type Fault = (fn(&mut Facts), Reason, State, FixableBy);

fn faults() -> Vec<Fault> {
    use FixableBy::{App, Nobody, User};
    use State::{Degraded, Stopped};
    vec![
        (|f| f.engine.switched_on = false, Reason::SwitchedOff, Stopped, User),
        (|f| f.host.supported = Some(false), Reason::Unsupported, Stopped, Nobody),
        (|f| f.host.bluetooth_on = Some(false), Reason::BluetoothOff, Stopped, User),
        (|f| f.host.permission_granted = Some(false), Reason::PermissionMissing, Stopped, User),
        (|f| f.host.location = Some(LocationFact::Off), Reason::LocationOff, Stopped, User),
        (|f| f.engine.log = LogFact::Failed, Reason::LogFailed, Stopped, App),
        (|f| f.engine.log = LogFact::Full, Reason::LogFull, Stopped, User),
        (
            |f| f.engine.advertising = AdvertisingFact::Refused,
            Reason::AdvertisingRefused,
            Degraded,
            Nobody,
        ),
        (
            |f| f.engine.advertising = AdvertisingFact::Unconfirmed,
            Reason::AdvertisingUnconfirmed,
            Degraded,
            App,
        ),
        (
            |f| f.engine.scans_missing_seconds = Some(3_601),
            Reason::ScansMissing { minutes: 61 },
            Degraded,
            App,
        ),
        (
            |f| {
                f.engine.coverage = Some(ScanCoverage {
                    planned_seconds: 100,
                    scanned_seconds: 79,
                    ..ScanCoverage::default()
                });
            },
            Reason::LowCoverage { percent: 79 },
            Degraded,
            App,
        ),
        (|f| f.engine.clock = ClockFact::Suspect, Reason::ClockSuspect, Degraded, App),
        (
            |f| f.engine.clock = ClockFact::Wrong { ahead_seconds: -7_200 },
            Reason::ClockWrong { ahead_seconds: -7_200 },
            Degraded,
            User,
        ),
        (|f| f.engine.trusted_keys = 0, Reason::NoTrustedKey, Degraded, App),
        (|f| f.engine.key_files.last_matched = None, Reason::NeverMatched, Degraded, App),
        (
            |f| f.engine.key_files.last_matched = Some(Timestamp::EPOCH),
            Reason::KeyFilesStale { since: Timestamp::EPOCH },
            Degraded,
            App,
        ),
        (
            |f| f.engine.key_files.missing = 2,
            Reason::KeyFilesMissing { missing: 2, listed: 3 },
            Degraded,
            App,
        ),
        (|f| f.engine.key_files.refused = 1, Reason::KeyFilesRefused { refused: 1 }, Degraded, App),
        (|f| f.engine.configuration_invalid = true, Reason::ConfigurationInvalid, Degraded, App),
        (|f| f.engine.configuration_rejected = true, Reason::ConfigurationRejected, Degraded, App),
        (
            |f| f.engine.throttled_until = Some(now().saturating_add(1)),
            Reason::Throttled { until: now().saturating_add(1) },
            Degraded,
            Nobody,
        ),
        (|f| f.host.notifications_allowed = Some(false), Reason::NotificationsOff, Degraded, User),
        (
            |f| f.host.bluetooth_on = None,
            Reason::Unreported { fact: HostFact::Bluetooth },
            Degraded,
            App,
        ),
    ]
}

#[test]
fn working_only_if_nothing_is_wrong() {
    let working = status(&good());
    assert_eq!((working.state, working.reasons), (State::Working, BTreeSet::new()));
    for (break_it, reason, state, fixable_by) in faults() {
        let mut facts = good();
        break_it(&mut facts);
        let status = status(&facts);
        assert_eq!(status.reasons, BTreeSet::from([reason]));
        assert_eq!((status.state, reason.fixable_by()), (state, fixable_by), "{reason:?}");
    }
}

#[test]
fn codes_are_unique_and_stable() {
    let reasons: Vec<_> = faults().into_iter().map(|(_, reason, ..)| reason).collect();
    let codes: BTreeSet<_> = reasons.iter().map(Reason::code).collect();
    assert_eq!(codes.len(), reasons.len());
    assert_eq!(
        codes.into_iter().collect::<Vec<_>>().join(" "),
        "advertising_refused advertising_unconfirmed bluetooth_off clock_suspect clock_wrong \
         configuration_invalid configuration_rejected key_files_missing key_files_refused key_files_stale location_off \
         log_failed log_full low_coverage never_matched no_trusted_key notifications_off \
         permission_missing scans_missing switched_off throttled unreported unsupported"
    );
    for reason in reasons {
        let json = serde_json::to_value(reason).unwrap();
        assert_eq!(json["code"], reason.code());
        assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
    }
}

#[test]
fn a_host_that_says_nothing_is_not_working() {
    let mut facts = good();
    facts.host = HostFacts::default();
    let status = status(&facts);
    assert_eq!(status.state, State::Degraded);
    assert_eq!(status.reasons.len(), 5);
}

#[test]
fn a_throttle_that_is_over_is_no_reason() {
    let mut facts = good();
    facts.engine.throttled_until = Some(now());
    assert_eq!(status(&facts).state, State::Working);
}

proptest! {
    /// All reasons are listed whatever else is wrong, and the worst decides.
    #[test]
    fn every_reason_is_listed(chosen in prop::collection::vec(any::<bool>(), 23)) {
        let faults = faults();
        prop_assert_eq!(faults.len(), chosen.len());
        let mut facts = good();
        let mut worst = State::Working;
        let mut count = 0;
        for ((break_it, _, state, _), _) in
            faults.iter().zip(&chosen).filter(|(_, chosen)| **chosen)
        {
            break_it(&mut facts);
            worst = worst.max(*state);
            count += 1;
        }
        let status = status(&facts);
        prop_assert!(status.reasons.len() <= count);
        prop_assert_eq!(status.state == State::Working, status.reasons.is_empty());
        prop_assert!(status.state <= worst);
        for ((_, reason, _, _), chosen) in faults.iter().zip(chosen) {
            let radio_is_off_on_purpose = !facts.engine.switched_on;
            let independent = matches!(
                reason.code(),
                "switched_off" | "unsupported" | "permission_missing" | "location_off"
                    | "no_trusted_key" | "key_files_refused" | "configuration_rejected"
                    | "configuration_invalid"
                    | "throttled" | "notifications_off"
            ) || (reason.code() == "scans_missing" && !radio_is_off_on_purpose);
            if independent {
                prop_assert_eq!(status.reasons.contains(reason), chosen);
            }
        }
    }
}
