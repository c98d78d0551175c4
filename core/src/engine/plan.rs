//! Plans: what to advertise until when, and when to scan for how long.

use rand_core::CryptoRng;

use crate::advertisement::Advertisement;
use crate::keys::TemporaryExposureKey;
use crate::metadata::BluetoothMetadata;
use crate::status::AdvertisingFact;
use crate::time::{IntervalNumber, Timestamp};

/// Seconds until a plan that the radio refused is made anew.
const RETRY_SECONDS: u32 = 60;
/// How long a host may take to confirm a plan, in seconds.
const CONFIRMATION_SECONDS: i64 = 60;
/// Seconds after the planned end of a scan when an unreported one counts as lost.
const LOST_SCAN_SECONDS: u32 = 60;

/// The address a plan goes on the air with. There is no plan that keeps an address: an
/// identifier that changes under a constant address is no protection ("little thumb").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdvertisingAddress {
    /// A fresh, random, non-resolvable private address.
    NewNonResolvable,
}

/// Payload and new address, to be put on the air together: stop, take a new address, start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisePlan {
    /// Counts the plans of this engine; names the plan in the host's confirmation.
    pub number: u64,
    /// What to broadcast.
    pub payload: Advertisement,
    /// The address to broadcast it from.
    pub address: AdvertisingAddress,
    /// When the identifier's interval ends; the payload must be off the air then.
    pub until: Timestamp,
}

/// What is on the air, as far as the engine knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Advertising {
    plans: u64,
    current: Option<AdvertisePlan>,
    confirmed: bool,
    planned: Option<Timestamp>,
    not_before: Option<Timestamp>,
    /// Since when and until when nothing may be on the air.
    suspended: Option<(Timestamp, Timestamp)>,
}

impl Advertising {
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        // Before its beginning means that the clock was set back.
        if self.suspended.is_some_and(|(since, until)| since <= now && now < until) {
            return false;
        }
        let expired = self.current.is_none_or(|plan| {
            // Before its interval means that the clock was set back.
            now >= plan.until || now.interval() < plan.until.saturating_sub(1).interval()
        });
        // A retry later than the longest wait means that the clock was set back.
        let may_retry = |instant: Timestamp| {
            now >= instant || instant.seconds_since(now) > i64::from(RETRY_SECONDS)
        };
        expired && self.not_before.is_none_or(may_retry)
    }

    pub(super) fn plan(
        &mut self,
        key: &TemporaryExposureKey,
        interval: IntervalNumber,
        metadata: BluetoothMetadata,
        now: Timestamp,
    ) -> AdvertisePlan {
        let identifier = key.identifier_key().identifier(interval);
        let metadata = key.metadata_key().encrypt(&identifier, metadata);
        self.plans += 1;
        let plan = AdvertisePlan {
            number: self.plans,
            payload: Advertisement { identifier, metadata },
            address: AdvertisingAddress::NewNonResolvable,
            until: interval.checked_add(1).map_or(Timestamp::MAX, IntervalNumber::start),
        };
        self.current = Some(plan);
        self.confirmed = false;
        self.planned = Some(now);
        self.not_before = None;
        self.suspended = None;
        plan
    }

    pub(super) fn confirm(&mut self, number: u64) {
        self.confirmed |= self.current.is_some_and(|plan| plan.number == number);
    }

    pub(super) fn fail(&mut self, number: u64, now: Timestamp) {
        if self.current.is_some_and(|plan| plan.number == number) {
            *self = Self {
                plans: self.plans,
                not_before: Some(now.saturating_add(RETRY_SECONDS)),
                ..Self::default()
            };
        }
    }

    /// Nothing may be on the air until then.
    pub(super) fn suspend(&mut self, now: Timestamp, until: Timestamp) {
        *self = Self { plans: self.plans, suspended: Some((now, until)), ..Self::default() };
    }

    pub(super) const fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// A plan that was made just now counts as confirmed for as long as a radio may need.
    pub(super) fn fact(&self, now: Timestamp) -> AdvertisingFact {
        let just_planned = self.planned.is_some_and(|planned| {
            (0..=CONFIRMATION_SECONDS).contains(&now.seconds_since(planned))
        });
        if self.not_before.is_some() {
            AdvertisingFact::Refused
        } else if self.confirmed || just_planned {
            AdvertisingFact::Confirmed
        } else {
            AdvertisingFact::Unconfirmed
        }
    }

    /// The same counter with nothing on the air, so that a new plan is made at once.
    pub(super) fn interrupted(&self) -> Self {
        Self { plans: self.plans, ..Self::default() }
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.current
            .map(|plan| plan.until)
            .or(self.not_before)
            .or_else(|| self.suspended.map(|(_, until)| until))
    }
}

/// Length and spacing of scans. Google's: 4 s, then a pause of 300 s less a random part of up to
/// 90 s (exposure-notifications-internals; measured on real phones as 210–300 s).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanSchedule {
    /// Length of a scan in seconds.
    pub scan_seconds: u32,
    /// Longest pause between two scans in seconds.
    pub longest_pause_seconds: u32,
    /// By how much a pause is shortened at random, in seconds.
    pub pause_jitter_seconds: u32,
}

impl Default for ScanSchedule {
    fn default() -> Self {
        Self { scan_seconds: 4, longest_pause_seconds: 300, pause_jitter_seconds: 90 }
    }
}

impl ScanSchedule {
    /// The longest time between two calls that concern scanning, in seconds.
    const fn longest_wait(&self) -> u32 {
        let lost = self.scan_seconds.saturating_add(LOST_SCAN_SECONDS);
        let pause = self.longest_pause_seconds.saturating_add(self.scan_seconds);
        if lost > pause { lost } else { pause }
    }

    fn pause(&self, rng: &mut (impl CryptoRng + ?Sized)) -> u32 {
        // The remainder favours some pauses by less than one in ten million.
        let jitter = rng.next_u32() % self.pause_jitter_seconds.max(1);
        self.longest_pause_seconds.saturating_sub(jitter)
    }
}

/// Scan now for this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanPlan {
    /// Length of the scan in seconds.
    pub seconds: u32,
}

/// Where the engine stands between two scans.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Scanning {
    #[default]
    Off,
    Pausing {
        until: Timestamp,
    },
    Running {
        since: Timestamp,
    },
}

impl Scanning {
    pub(super) const fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    pub(super) const fn due(now: Timestamp) -> Self {
        Self::Pausing { until: now }
    }

    pub(super) fn begin_if_due(
        &mut self,
        now: Timestamp,
        schedule: &ScanSchedule,
    ) -> Option<ScanPlan> {
        let due = self.next_wake(schedule)?;
        // Farther away than any pause means that the clock was set back: never wait that out.
        let clock_set_back = due.seconds_since(now) > i64::from(schedule.longest_wait());
        if now < due && !clock_set_back {
            return None;
        }
        *self = Self::Running { since: now };
        Some(ScanPlan { seconds: schedule.scan_seconds })
    }

    pub(super) fn finished(
        &mut self,
        ended: Timestamp,
        schedule: &ScanSchedule,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        if !matches!(self, Self::Off) {
            *self = Self::Pausing { until: ended.saturating_add(schedule.pause(rng)) };
        }
    }

    pub(super) const fn next_wake(&self, schedule: &ScanSchedule) -> Option<Timestamp> {
        match self {
            Self::Off => None,
            Self::Pausing { until } => Some(*until),
            Self::Running { since } => {
                Some(since.saturating_add(schedule.scan_seconds.saturating_add(LOST_SCAN_SECONDS)))
            }
        }
    }
}
