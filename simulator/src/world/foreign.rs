//! What adversaries put on the air.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::metadata::{BluetoothMetadata, CalibrationConfidence, MetadataVersion};
use chikaku_core::sighting::ReceivedAdvertisement;
use chikaku_core::signal::{RssiDbm, TransmitPowerDbm};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use rand_core::Rng;

use super::TRANSMIT_POWER_DBM;
use super::air::{Air, signal_strength};
use super::phone::Phone;
use super::randomness::Randomness;
use crate::radio::{
    EVENT_SPACING_MS, EVENTS_IN_A_SCAN, PhoneModel, is_delivered, link_attenuation_db, normal,
    uniform,
};
use crate::scenario::{Adversary, AdversaryKind, Defence};

/// What every adversary transmits with.
const MODEL: PhoneModel = PhoneModel::S10;
/// How many published keys a replay goes through.
const KEYS_REPLAYED: usize = 20;
/// The farthest that a replayed identifier lies from the present, in intervals: GAEN's tolerance.
const TOLERANCE_INTERVALS: u32 = 12;
/// The least power that a phone is believed.
const LEAST_POWER_DBM: i8 = -60;

/// One payload, and how many dB stronger it seems than it is.
type Payload = (Advertisement, i16);

impl Air<'_> {
    /// What `receiver` hears of adversaries during a scan, in true time.
    pub(super) fn foreign(
        &self,
        receiver: usize,
        started: Timestamp,
        phones: &[Phone],
        published: &[DiagnosisKey],
    ) -> Vec<ReceivedAdvertisement> {
        let mut received = Vec::new();
        for (number, adversary) in self.scenario.adversaries.iter().enumerate() {
            let stay = &self.scenario.stays[adversary.stay];
            let acts = adversary.from <= started && started < adversary.to && stay.is_on(started);
            if !acts || !stay.positions.contains_key(&receiver) {
                continue;
            }
            let model = self.scenario.phones[receiver].model;
            let mut rng = self.randomness.stream(
                "adversary",
                &[
                    &number.to_string(),
                    &self.scenario.phones[receiver].name,
                    &started.unix_seconds().to_string(),
                ],
            );
            let link_db = link_attenuation_db(stay.environment, adversary.distance_m, model, MODEL);
            if let AdversaryKind::Flood { identifiers_per_scan } = adversary.kind {
                for _ in 0..identifiers_per_scan {
                    received.push(invented(started, &mut rng));
                }
                continue;
            }
            for event in 0..EVENTS_IN_A_SCAN {
                let heard_at = started.saturating_add(event * EVENT_SPACING_MS / 1000);
                for (advertisement, seems_stronger) in
                    self.payloads(adversary, number, heard_at, phones, published)
                {
                    let packet_db = stay.environment.shadowing().packet_db;
                    let attenuation_db = link_db + packet_db * normal(&mut rng);
                    if is_delivered(model, attenuation_db, &mut rng) {
                        let rssi = signal_strength(attenuation_db - f64::from(seems_stronger));
                        received.push(ReceivedAdvertisement { heard_at, rssi, advertisement });
                    }
                }
            }
        }
        received
    }

    fn payloads(
        &self,
        adversary: &Adversary,
        number: usize,
        at: Timestamp,
        phones: &[Phone],
        published: &[DiagnosisKey],
    ) -> Vec<Payload> {
        match adversary.kind {
            AdversaryKind::Replay { shift_seconds } => {
                let by = u32::try_from(shift_seconds.unsigned_abs()).unwrap_or(u32::MAX);
                let wanted =
                    if shift_seconds < 0 { at.saturating_sub(by) } else { at.saturating_add(by) };
                let keys = published.iter().filter_map(|key| of_key(key, wanted.interval()));
                keys.take(KEYS_REPLAYED).collect()
            }
            AdversaryKind::Relay { source, claimed_power_dbm } => {
                let source = &self.scenario.stays[source];
                if !source.is_on(at) {
                    return Vec::new();
                }
                let believes_any = self.scenario.without.contains(&Defence::TransmitPowerBounds);
                let heard = source.positions.keys();
                let heard = heard.filter_map(|&phone| phones[phone].payload_at(at));
                heard
                    .map(|payload| match claimed_power_dbm {
                        Some(power) => flipped(payload, power, believes_any),
                        None => (payload, 0),
                    })
                    .collect()
            }
            AdversaryKind::KeyInjection { .. } => {
                let key = injected_key(self.randomness, number, adversary);
                of_key(&key, at.interval()).into_iter().collect()
            }
            AdversaryKind::Flood { .. } | AdversaryKind::Sniffer => Vec::new(),
        }
    }
}

/// The key that an adversary makes up for the day on which it begins.
pub(super) fn injected_key(
    randomness: Randomness,
    number: usize,
    adversary: &Adversary,
) -> DiagnosisKey {
    let mut bytes = [0; 16];
    randomness.stream("injected key", &[&number.to_string()]).fill_bytes(&mut bytes);
    let start = adversary.from.day().first_interval();
    DiagnosisKey::new(bytes, start, RollingPeriod::DAY, DiagnosisKeyDetails::default())
}

/// The identifier of `key` that is nearest to `wanted`, if it could be believed then.
fn of_key(key: &DiagnosisKey, wanted: IntervalNumber) -> Option<Payload> {
    let last = IntervalNumber::new(key.rolling_end().get().saturating_sub(1));
    let nearest = wanted.clamp(key.rolling_start(), last.max(key.rolling_start()));
    if nearest.distance(wanted) > TOLERANCE_INTERVALS {
        return None;
    }
    let identifier = key.identifier_key().identifier(nearest);
    let metadata = BluetoothMetadata {
        version: MetadataVersion::V1_1(CalibrationConfidence::Lowest),
        transmit_power: TransmitPowerDbm::new(TRANSMIT_POWER_DBM).ok()?,
    };
    let metadata = key.metadata_key().encrypt(&identifier, metadata);
    Some((Advertisement { identifier, metadata }, 0))
}

/// The same payload with another power in its metadata. A receiver that believes any power is one
/// to which the signal seems stronger by what the claim exceeds the believable.
fn flipped(payload: Advertisement, power: i8, believes_any: bool) -> Payload {
    let stands = if believes_any { power.max(LEAST_POWER_DBM) } else { power };
    let mut bytes = *payload.metadata.as_bytes();
    bytes[1] ^= TRANSMIT_POWER_DBM.to_be_bytes()[0] ^ stands.to_be_bytes()[0];
    let metadata = AssociatedEncryptedMetadata::from_bytes(bytes);
    let seems_stronger = i16::from(stands) - i16::from(power);
    (Advertisement { metadata, ..payload }, seems_stronger)
}

fn invented(started: Timestamp, rng: &mut impl Rng) -> ReceivedAdvertisement {
    let (mut identifier, mut metadata) = ([0; 16], [0; 4]);
    rng.fill_bytes(&mut identifier);
    rng.fill_bytes(&mut metadata);
    #[expect(clippy::cast_possible_truncation, reason = "-95 to -45")]
    let dbm = (-95.0 + 50.0 * uniform(rng)) as i16;
    ReceivedAdvertisement {
        heard_at: started,
        rssi: RssiDbm::new(dbm).ok(),
        advertisement: Advertisement {
            identifier: RollingProximityIdentifier::from_bytes(identifier),
            metadata: AssociatedEncryptedMetadata::from_bytes(metadata),
        },
    }
}
