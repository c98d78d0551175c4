//! Random logs and keys that meet in every way that matching has to tell apart.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "shared by tests")]

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{EpochId, RecordStamp};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{KeyList, PublishedKey};
use chikaku_core::keys::{
    AssociatedEncryptedMetadata, RollingProximityIdentifier, TemporaryExposureKey,
};
use chikaku_core::matching::{
    InstructionSet, MatchReport, Matcher, MatchingRules, SightingIndex, Strategy,
};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{INTERVALS_PER_DAY, IntervalNumber, RollingPeriod, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A call of the matcher.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Check(PublishedKey, Timestamp),
    CheckAgain(PublishedKey, Timestamp),
}

/// A log, and keys to look for in it.
#[derive(Debug, Default)]
pub struct Case {
    pub sightings: Vec<Sighting>,
    pub calls: Vec<Call>,
    pub own: Vec<TemporaryExposureKey>,
    pub rules: MatchingRules,
}

/// How much of everything a case has.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub keys: u32,
    pub sightings_of_keys: u32,
    pub strangers: u32,
}

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let length = u32::try_from(choices.len()).unwrap();
        choices[self.below(length) as usize]
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// Days on which something happens: two that follow one another, two around a multiple of 65536
/// intervals, and the ends of time.
const DAYS: [u32; 6] = [18_354, 18_355, 18_658, 18_659, 0, u32::MAX / INTERVALS_PER_DAY];

fn key(random: &mut Random, days: &[u32]) -> DiagnosisKey {
    let day = random.of(days) * INTERVALS_PER_DAY;
    let start = if random.one_in(2) { day } else { day.saturating_add(random.below(144)) };
    let period = if random.one_in(3) { 1 + random.below(144) } else { 144 };
    let details = DiagnosisKeyDetails {
        report_type: random.of(&[None, Some(ReportType::ConfirmedTest), Some(ReportType::Revoked)]),
        ..DiagnosisKeyDetails::default()
    };
    let period = RollingPeriod::new(period).unwrap();
    DiagnosisKey::new(random.bytes(), IntervalNumber::new(start), period, details)
}

fn published(random: &mut Random, key: DiagnosisKey) -> PublishedKey {
    PublishedKey::new(key, random.of(&[KeyList::New, KeyList::New, KeyList::Revised]))
}

/// The same key as another file could have it: later, shorter or with more to say.
fn other_record(random: &mut Random, key: &DiagnosisKey) -> DiagnosisKey {
    let start = key.rolling_start().get().saturating_add(random.below(3) * random.below(80));
    let period = RollingPeriod::new(1 + random.below(144)).unwrap();
    let details = DiagnosisKeyDetails {
        transmission_risk_level: Some(3),
        report_type: key.details.report_type,
        ..DiagnosisKeyDetails::default()
    };
    DiagnosisKey::new(*key.as_bytes(), IntervalNumber::new(start), period, details)
}

pub fn sighting(identifier: RollingProximityIdentifier, heard_at: Timestamp) -> Sighting {
    Sighting {
        heard_at,
        previous_scan_ended: None,
        rssi: None,
        advertisement: Advertisement {
            identifier,
            metadata: AssociatedEncryptedMetadata::from_bytes([0; 4]),
        },
        stamp: Some(stamp(heard_at)),
    }
}

/// A stamp of a phone whose clock is right.
pub fn stamp(at: Timestamp) -> RecordStamp {
    let seconds = u64::try_from(at.unix_seconds()).unwrap();
    RecordStamp { sequence: seconds, epoch: EpochId::UNKNOWN, elapsed_seconds: seconds }
}

impl Case {
    /// A random case; the same for the same seed.
    pub fn new(seed: u64, size: Size) -> Self {
        let random = &mut Random::new(seed);
        let mut case = Self::default();
        case.rules.tolerance_intervals = random.of(&[12, 12, 12, 0, 1, 144]);
        let first = random.below(6) as usize;
        let days = &DAYS[first..(first + 1 + random.below(3) as usize).min(DAYS.len())];
        let keys: Vec<_> = (0..size.keys).map(|_| key(random, days)).collect();
        for _ in 0..random.below(size.sightings_of_keys + 1) {
            let key = random.of(&keys);
            case.hear(random, &key);
        }
        for _ in 0..random.below(size.strangers + 1) {
            let interval = random.of(days).saturating_mul(144).saturating_add(random.below(144));
            let identifier = RollingProximityIdentifier::from_bytes(random.bytes());
            case.sightings.push(sighting(identifier, IntervalNumber::new(interval).start()));
        }
        for key in &keys {
            case.look_for(random, key);
        }
        case
    }

    /// Hears one of the key's identifiers, or something like it, at a time that matters.
    fn hear(&mut self, random: &mut Random, key: &DiagnosisKey) {
        // Sometimes beyond the rolling period.
        let offset = if random.one_in(4) {
            random.below(160)
        } else {
            random.below(key.rolling_period().intervals())
        };
        let interval = IntervalNumber::new(key.rolling_start().get().saturating_add(offset));
        let mut identifier = *key.identifier_key().identifier(interval).as_bytes();
        if random.one_in(8) {
            // A stranger with the same first bytes.
            let first = 3 + random.below(13) as usize;
            identifier[first] ^= 1 << random.below(8);
        }
        let identifier = RollingProximityIdentifier::from_bytes(identifier);
        let distance = random.of(&[0, 0, 0, 1, 2, 12, 13, 24, 25, 144, 300]);
        let heard_in = if random.one_in(2) {
            interval.get().saturating_sub(distance)
        } else {
            interval.get().saturating_add(distance)
        };
        let mut heard_at = IntervalNumber::new(heard_in).start().saturating_add(random.below(600));
        for _ in 0..=random.below(4) {
            self.sightings.push(sighting(identifier, heard_at));
            heard_at = heard_at.saturating_add(random.of(&[0, 280, 300, 600, 1200, 2400]));
        }
    }

    fn look_for(&mut self, random: &mut Random, key: &DiagnosisKey) {
        if random.one_in(10) {
            let bytes = *key.as_bytes();
            self.own.push(TemporaryExposureKey::from_stored(
                bytes,
                key.rolling_start(),
                key.rolling_period(),
            ));
        }
        let mut records = vec![*key];
        while random.one_in(3) {
            let other = if random.one_in(2) { *key } else { other_record(random, key) };
            records.push(other);
        }
        for record in records {
            let published = published(random, record);
            let end = record.rolling_end().start();
            let at = match random.below(5) {
                0 => end.saturating_sub(random.below(86_400)),
                1 => end.saturating_add(random.below(7_200)),
                _ => Timestamp::MAX,
            };
            let call = if random.one_in(5) {
                Call::CheckAgain(published, at)
            } else {
                Call::Check(published, at)
            };
            // Anywhere among the others.
            let length = u32::try_from(self.calls.len()).unwrap();
            let place = random.below(length + 1) as usize;
            self.calls.insert(place, call);
        }
    }

    pub fn index(&self) -> SightingIndex {
        self.sightings.iter().copied().collect()
    }

    pub fn report(
        &self,
        heard: &SightingIndex,
        instructions: InstructionSet,
        strategy: Strategy,
    ) -> MatchReport {
        let mut matcher = Matcher::new(heard, self.rules)
            .excluding(&self.own)
            .with_instructions(instructions)
            .with_strategy(strategy);
        for call in &self.calls {
            match *call {
                Call::Check(key, now) => matcher.check(key, Some(stamp(now))),
                Call::CheckAgain(key, at) => matcher.check_again(key, Some(stamp(at))),
            }
        }
        matcher.finish()
    }
}
