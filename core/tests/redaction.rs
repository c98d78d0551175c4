//! No secret byte in anything printable.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading, ClockWatch};
use chikaku_core::diagnosis_key::DiagnosisKeyDetails;
use chikaku_core::encounter_log::{Change, EncounterLog, Exposure, LiveKey, MemoryLog};
use chikaku_core::engine::{Engine, EngineConfiguration, Input, KeyFile};
use chikaku_core::export::{KeyList, PublishedKey, TrustedKeys};
use chikaku_core::exposure::UnmeasuredSightings;
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::matching::{DroppedSightings, Matcher, MatchingRules, SightingIndex};
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::TransmitPowerDbm;
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use chikaku_core::transfer::{self, LogSnapshot, TransferSecret};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Fails if `text` shows four bytes in a row of `secret`, in hexadecimal or as a list of numbers.
fn assert_hidden(text: &str, secret: &[u8], what: &str) {
    let folded = text.to_lowercase();
    for run in secret.windows(4) {
        let list = run.iter().map(ToString::to_string).collect::<Vec<_>>();
        for shown in [hex::encode(run), list.join(", "), list.join(",\n")] {
            assert!(!folded.contains(&shown), "{what} shows {shown} in {text}");
        }
    }
}

#[test]
fn debug_of_everything_that_holds_a_secret() {
    let secret = [0xc0, 0xff, 0xee, 0x11, 0x22, 0x33, 0x44, 0x55, 1, 2, 3, 4, 5, 6, 7, 8];
    let start = IntervalNumber::new(2_642_976);
    let key = TemporaryExposureKey::from_stored(secret, start, RollingPeriod::DAY);
    let identifier = key.identifier_key().identifier(start);
    let metadata = BluetoothMetadata::from_bytes([0x40, 8, 0, 0]).unwrap();
    let encrypted = key.metadata_key().encrypt(&identifier, metadata);
    let advertisement = Advertisement { identifier, metadata: encrypted };
    let sighting = Sighting {
        heard_at: start.start(),
        previous_scan_ended: None,
        rssi: None,
        advertisement,
        stamp: None,
    };
    let disclosed = key.disclose(DiagnosisKeyDetails::default());
    let mut clock = ClockWatch::default();
    clock.read(ClockReading { wall: start.start(), monotonic_seconds: 1, boot: BootId::UNKNOWN });
    let first_available = clock.stamp().unwrap();
    let mut log = MemoryLog::new();
    let changes = vec![Change::OwnKey(key.clone()), Change::Sightings(vec![sighting])];
    let exposure = Exposure {
        published: PublishedKey::new(disclosed, KeyList::New),
        first_available,
        sightings: Vec::new(),
        windows: Vec::new(),
        identifiers: 1,
        dropped: DroppedSightings::default(),
        unmeasured: UnmeasuredSightings::default(),
    };
    let changes = [changes, vec![Change::Exposure(exposure)]].concat();
    let printed_changes = format!("{changes:#?}");
    log.commit(changes).unwrap();

    let heard: SightingIndex = [sighting].into_iter().collect();
    let mut matcher = Matcher::new(&heard, MatchingRules::default());
    let published = PublishedKey::new(disclosed, KeyList::New);
    matcher.check(published, None);
    let live = LiveKey { published, first_available };
    log.commit(vec![Change::LiveKey(live)]).unwrap();
    let power = TransmitPowerDbm::new(-24).unwrap();
    let configuration = EngineConfiguration::cocoa(power, TrustedKeys::new());
    let engine = Engine::open(configuration, log.clone()).unwrap();

    let transfer_secret = TransferSecret::from_bytes(&secret).unwrap();
    let snapshot = LogSnapshot::new(1, secret.to_vec());
    let container = snapshot.seal(&transfer_secret, &mut ChaCha20Rng::from_seed([7; 32]));

    for text in [
        format!("{transfer_secret:?} {snapshot:#?}"),
        format!("{:?} {:?}", transfer::open(&secret, &transfer_secret), hex::encode(container)),
        format!("{key:?} {key:#?}"),
        format!("{:?} {:?}", key.identifier_key(), key.metadata_key()),
        format!("{identifier:?} {encrypted:?} {advertisement:#?} {sighting:#?}"),
        format!("{disclosed:#?}"),
        printed_changes,
        format!("{log:#?} {log:?}"),
        format!("{engine:#?} {engine:?}"),
        format!("{matcher:#?} {matcher:?}"),
        format!("{:?}", Input::KeyFile(KeyFile::without_cursor(&secret))),
    ] {
        assert_hidden(&text, &secret, "the key");
        assert_hidden(&text, identifier.as_bytes(), "the identifier");
        assert_hidden(&text, encrypted.as_bytes(), "the metadata");
    }
}
