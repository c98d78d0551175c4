//! Logs and keys, the same for the same seed.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::export::{KeyList, PublishedKey};
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The first of the fourteen days.
pub const FIRST_DAY: u32 = 18_354;
/// Days in a log.
pub const DAYS: u32 = 14;

/// When the phone heard anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// At any time of the fourteen days.
    Uniform,
    /// From 8 to 19 h of every day.
    Clustered,
    /// For an hour in the morning and one in the evening of every second day.
    Sparse,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Uniform, Self::Clustered, Self::Sparse];

    /// Its name in rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Clustered => "clustered",
            Self::Sparse => "sparse",
        }
    }
}

/// When keys start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Starts {
    /// With the UTC day, as the specification asks.
    Aligned,
    /// At any interval, as most of Germany's published keys did.
    Anywhere,
}

/// A log and the keys of a file.
#[derive(Debug)]
pub struct World {
    /// What was heard.
    pub sightings: Vec<Sighting>,
    /// What was published: keys of strangers, a few contacts, and as many replays.
    pub keys: Vec<PublishedKey>,
}

/// Contacts among the keys; half as many are replayed at a wrong time.
pub const CONTACTS: usize = 16;

fn below(random: &mut ChaCha8Rng, end: u32) -> u32 {
    ((u64::from(random.next_u32()) * u64::from(end)) >> 32) as u32
}

fn heard(identifier: [u8; 16], heard_at: Timestamp) -> Sighting {
    Sighting {
        heard_at,
        previous_scan_ended: None,
        rssi: None,
        advertisement: Advertisement {
            identifier: RollingProximityIdentifier::from_bytes(identifier),
            metadata: AssociatedEncryptedMetadata::from_bytes([0; 4]),
        },
    }
}

impl World {
    /// `sightings` of strangers in a log of this shape, and `keys`.
    #[must_use]
    pub fn new(sightings: usize, shape: Shape, keys: usize, starts: Starts) -> Self {
        let random = &mut ChaCha8Rng::seed_from_u64(20_200_730);
        let mut world =
            Self { sightings: Vec::with_capacity(sightings + 2 * CONTACTS), keys: Vec::new() };
        for _ in 0..sightings {
            let (day, second) = match shape {
                Shape::Uniform => (below(random, DAYS), below(random, 86_400)),
                Shape::Clustered => (below(random, DAYS), 8 * 3600 + below(random, 11 * 3600)),
                Shape::Sparse => {
                    let outing = [8, 18][below(random, 2) as usize];
                    (below(random, DAYS / 2) * 2, outing * 3600 + below(random, 3600))
                }
            };
            let day = IntervalNumber::new((FIRST_DAY + day) * 144);
            let mut identifier = [0; 16];
            random.fill_bytes(&mut identifier);
            world.sightings.push(heard(identifier, day.start().saturating_add(second)));
        }
        for number in 0..keys {
            let mut bytes = [0; 16];
            random.fill_bytes(&mut bytes);
            let day = (FIRST_DAY + below(random, DAYS)) * 144;
            let start = match starts {
                Starts::Aligned => day,
                Starts::Anywhere => day + below(random, 144),
            };
            let start = IntervalNumber::new(start);
            let details = DiagnosisKeyDetails::default();
            let key = DiagnosisKey::new(bytes, start, RollingPeriod::DAY, details);
            world.keys.push(PublishedKey { list: KeyList::New, key });
            if number % (keys / CONTACTS).max(1) == 0 {
                world.meet(random, &key, number % 2 == 1);
            }
        }
        world
    }

    fn meet(&mut self, random: &mut ChaCha8Rng, key: &DiagnosisKey, replayed: bool) {
        let interval = key.rolling_start().get() + below(random, 144);
        let identifier = key.identifier_key().identifier(IntervalNumber::new(interval));
        let heard_in = if replayed { interval + 14 } else { interval };
        self.sightings.push(heard(*identifier.as_bytes(), IntervalNumber::new(heard_in).start()));
    }
}
