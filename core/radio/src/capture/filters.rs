//! Which of Android's content filters belong to the service: they say when it scans.
//!
//! The service scans with one filter, on service data of its UUID. It adds the condition (and
//! the selection behind it) when a scan begins and deletes the selection when the scan ends, four
//! seconds later. Other applications keep the controller scanning in between, so switching the
//! scanner on and off says nothing. Seen in all HCI logs of DP-3T bt-measurements, experiment 34.

use std::collections::BTreeSet;

use crate::hci::{FilterAction, FilterCommand};

/// The numbers of the service's filters that exist.
#[derive(Default)]
pub(super) struct ServiceFilters {
    present: BTreeSet<u8>,
}

impl ServiceFilters {
    pub(super) fn apply(&mut self, command: FilterCommand, service_uuid: u16) {
        match command {
            FilterCommand::ServiceData {
                action: FilterAction::Add,
                filter,
                service_uuid: Some(uuid),
            } if uuid == service_uuid => {
                self.present.insert(filter);
            }
            FilterCommand::Selection { action: FilterAction::Delete, filter }
            | FilterCommand::ServiceData { action: FilterAction::Delete, filter, .. } => {
                self.present.remove(&filter);
            }
            FilterCommand::Selection { action: FilterAction::Clear, .. }
            | FilterCommand::ServiceData { action: FilterAction::Clear, .. } => self.clear(),
            _ => {}
        }
    }

    /// Whether the service is scanning.
    pub(super) fn any(&self) -> bool {
        !self.present.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.present.clear();
    }
}
