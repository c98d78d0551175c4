//! Which reports a host hands to its applications, and with which signal strength.
//!
//! Android asks every scannable advertiser for a scan response and delivers the pair as one
//! result, when the response arrives: a scannable advertisement without response is never
//! delivered, and the signal strength and time of a delivered one are the response's. All
//! Android phones advertise scannably, so this decides about a fifth to two fifths of what a
//! controller hears. Found in, and exact for, the HCI logs and Google's windows of DP-3T
//! bt-measurements, experiment 34.
//!
//! BlueZ, and whoever listens to the kernel's monitor channel, waits for nothing: every
//! advertisement is delivered when it is reported, with its own signal strength.

use std::collections::HashMap;

use chikaku_core::advertisement::{Advertisement, AdvertisementError, AdvertisementFormat};

use super::ScanningHost;
use crate::hci::{AdvertisingReport, DataStatus, DeviceAddress};

/// What became of a report.
pub(super) enum Delivery {
    /// Handed over; the report's own signal strength and time count.
    Delivered(Advertisement),
    /// A scannable advertisement of the service, kept until its scan response arrives.
    AwaitsResponse,
    /// An advertisement of the service that cannot be decoded.
    Malformed,
    /// Only a part of an advertisement.
    Partial,
    /// Advertising structures that are cut off; whose, nobody can say.
    Unreadable,
    /// A scan response to nothing that is kept, or an advertisement of another service.
    Irrelevant,
}

/// The host's memory of scannable advertisements: the last one of each address.
///
/// The memory knows nothing of filters and applications, so it outlives scans.
pub(super) struct ResponsePairing {
    waits_for_responses: bool,
    awaiting: HashMap<DeviceAddress, Advertisement>,
}

impl ResponsePairing {
    pub(super) fn of(host: ScanningHost) -> Self {
        let waits_for_responses = matches!(host, ScanningHost::Android);
        Self { waits_for_responses, awaiting: HashMap::new() }
    }

    pub(super) fn receive(
        &mut self,
        format: AdvertisementFormat,
        report: &AdvertisingReport<'_>,
    ) -> Delivery {
        if report.scan_response {
            let remembered = self.awaiting.remove(&report.address);
            return remembered.map_or(Delivery::Irrelevant, Delivery::Delivered);
        }
        if report.status != DataStatus::Complete {
            return Delivery::Partial;
        }
        if report.scannable {
            // Whatever it carries, a new advertisement replaces the one before it.
            self.awaiting.remove(&report.address);
        }
        match format.decode(report.data.0) {
            Ok(advertisement) if report.scannable && self.waits_for_responses => {
                self.awaiting.insert(report.address, advertisement);
                Delivery::AwaitsResponse
            }
            Ok(advertisement) => Delivery::Delivered(advertisement),
            Err(AdvertisementError::NotThisService) => Delivery::Irrelevant,
            Err(AdvertisementError::Truncated { .. }) => Delivery::Unreadable,
            Err(_) => Delivery::Malformed,
        }
    }

    /// A controller reset loses what the host was waiting for.
    pub(super) fn forget(&mut self) {
        self.awaiting.clear();
    }
}
