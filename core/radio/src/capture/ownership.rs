//! What the phone itself advertised, and whether its service was running.
//!
//! A capture holds no keys, so whose an identifier is can only be learned from the phone that
//! sent it: from the advertising data its host gave to its controller.
//!
//! The service advertises for as long as it runs. It changes its identifier by stopping and
//! starting to advertise within 7..=56 ms (all 137 changes in the eight HCI logs of DP-3T
//! bt-measurements, experiment 34, that the rule was found in), so a phone that has been silent
//! for longer was not running the service. The scan that follows such a silence is the first of a
//! new start, and the service does not know when the scan before it ended: Google's windows of
//! that experiment have the default of 120 s there.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::advertisement::{Advertisement, AdvertisementFormat};
use chikaku_core::keys::RollingProximityIdentifier;

use super::CaptureInstant;
use crate::hci::{AdvertisingData, AdvertisingSet, AdvertisingSets, DataOperation};

/// A silence of one second: twenty times longer than the longest change of identifier, four times
/// shorter than the shortest stop of the service that was measured.
const SERVICE_STOP_MICROS: i64 = 1_000_000;

/// Room for the fragments of one extended advertisement (Bluetooth Core, vol. 4 part E, 7.8.57).
const MAX_EXTENDED_DATA_LENGTH: usize = 1650;

/// An advertisement that the phone sent, at its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAdvertisement {
    /// When the host handed it to the controller.
    pub first_used: CaptureInstant,
    /// Identifier and metadata.
    pub advertisement: Advertisement,
}

#[derive(Default)]
struct SetState {
    data: Vec<u8>,
    advertisement: Option<Advertisement>,
    enabled: bool,
}

/// Whether the phone advertises the service.
#[derive(Clone, Copy)]
enum Service {
    /// The capture has not shown it yet.
    Unknown,
    Advertising,
    SilentSince(CaptureInstant),
}

/// Follows every advertising set of the phone.
pub(super) struct OwnAdvertising {
    sets: BTreeMap<AdvertisingSet, SetState>,
    service: Service,
    known: BTreeSet<RollingProximityIdentifier>,
    advertised: Vec<OwnAdvertisement>,
}

impl OwnAdvertising {
    pub(super) const fn new() -> Self {
        Self {
            sets: BTreeMap::new(),
            service: Service::Unknown,
            known: BTreeSet::new(),
            advertised: Vec::new(),
        }
    }

    pub(super) fn set_data(
        &mut self,
        at: CaptureInstant,
        format: AdvertisementFormat,
        set: AdvertisingSet,
        operation: DataOperation,
        data: AdvertisingData<'_>,
    ) {
        let state = self.sets.entry(set).or_default();
        match operation {
            DataOperation::Unchanged => return,
            DataOperation::Replace | DataOperation::First => state.data.clear(),
            DataOperation::Intermediate | DataOperation::Last => {}
        }
        let room = MAX_EXTENDED_DATA_LENGTH.saturating_sub(state.data.len());
        state.data.extend(data.0.iter().take(room));
        if matches!(operation, DataOperation::First | DataOperation::Intermediate) {
            return;
        }
        state.advertisement = format.decode(&state.data).ok();
        if let Some(advertisement) = state.advertisement
            && self.known.insert(advertisement.identifier)
        {
            self.advertised.push(OwnAdvertisement { first_used: at, advertisement });
        }
        self.update(at);
    }

    pub(super) fn enable(&mut self, at: CaptureInstant, sets: AdvertisingSets<'_>, enabled: bool) {
        for (_, state) in self.sets.iter_mut().filter(|(set, _)| sets.contains(**set)) {
            state.enabled = enabled;
        }
        self.update(at);
    }

    pub(super) fn remove(&mut self, at: CaptureInstant, sets: AdvertisingSets<'_>) {
        self.sets.retain(|set, _| !sets.contains(*set));
        self.update(at);
    }

    /// A reset ends every advertisement, and with Bluetooth the service.
    pub(super) fn reset(&mut self, at: CaptureInstant) {
        self.sets.clear();
        self.service = Service::SilentSince(at);
    }

    /// Whether the service had stopped, so that a scan beginning at `at` is the first of a start.
    pub(super) fn service_stopped_before(&self, at: CaptureInstant) -> bool {
        match self.service {
            Service::Unknown | Service::Advertising => false,
            Service::SilentSince(since) => at.micros_since(since) >= SERVICE_STOP_MICROS,
        }
    }

    pub(super) fn into_advertised(self) -> Vec<OwnAdvertisement> {
        self.advertised
    }

    fn update(&mut self, at: CaptureInstant) {
        let advertises = |state: &SetState| state.enabled && state.advertisement.is_some();
        self.service = match (self.sets.values().any(advertises), self.service) {
            (true, _) => Service::Advertising,
            (false, Service::Advertising) => Service::SilentSince(at),
            (false, service) => service,
        };
    }
}
