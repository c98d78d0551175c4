//! The seam between an engine's host and a radio of this machine: orders go in, events come out.
//!
//! A radio runs as tasks of its own, so that a scan of four seconds keeps no advertisement
//! waiting. Dropping the handle ends them; [`RadioHandle::shut_down`] also waits until nothing is
//! on the air any more.

use chikaku_core::engine::plan::{AdvertisePlan, ScanPlan};
use chikaku_core::sighting::ScanResult;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// What a host orders.
#[derive(Debug)]
#[non_exhaustive]
pub enum RadioOrder {
    /// Broadcast this payload from a new address, and nothing else. A radio that is not ready does
    /// it when it is.
    Advertise(AdvertisePlan),
    /// Broadcast nothing.
    StopAdvertising,
    /// Scan once. A scan that cannot begin is answered by [`RadioEvent::ScanFailed`].
    Scan(ScanPlan),
    /// Broadcast nothing, end, and say so.
    ShutDown(oneshot::Sender<()>),
}

/// What a radio reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RadioEvent {
    /// The radio has become ready, or has ceased to be.
    Condition(RadioCondition),
    /// The payload of this plan is on the air under a new address.
    AdvertisingStarted {
        /// [`AdvertisePlan::number`].
        plan: u64,
    },
    /// The payload of this plan is not on the air.
    AdvertisingFailed {
        /// [`AdvertisePlan::number`].
        plan: u64,
        /// Why.
        reason: RadioFault,
    },
    /// A scan is over, or was cut short after this long.
    Scanned {
        /// What it heard.
        result: ScanResult,
        /// Who told.
        source: ReportSource,
    },
    /// A scan did not take place.
    ScanFailed {
        /// Why.
        reason: RadioFault,
    },
}

/// Whether the radio can work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RadioCondition {
    /// Nothing is known yet.
    #[default]
    Starting,
    /// It works.
    Ready,
    /// The operating system's Bluetooth service does not answer.
    NoService,
    /// The adapter does not exist.
    NoAdapter,
    /// The adapter is off.
    PoweredOff,
    /// The adapter cannot broadcast.
    CannotAdvertise,
    /// This process may not use it.
    PermissionDenied,
}

/// Who reported what a scan heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportSource {
    /// The controller's own reports: every advertisement.
    Controller,
    /// The Bluetooth service, every advertisement that it passes on.
    Service,
    /// The Bluetooth service, behind a filter for repetitions: one or few for each neighbour.
    FilteredService,
}

/// Why a radio did not do what was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RadioFault {
    /// The radio is not ready.
    #[error("the radio is not ready: {0:?}")]
    NotReady(RadioCondition),
    /// The Bluetooth service refused a call.
    #[error("{call} was refused: {error}")]
    Refused {
        /// The call.
        call: &'static str,
        /// Name of the error.
        error: String,
    },
    /// The service ended the advertisement by itself.
    #[error("the Bluetooth service released the advertisement")]
    Released,
    /// This radio cannot broadcast at all.
    #[error("this radio cannot broadcast service data")]
    CannotAdvertise,
}

/// A running radio.
#[derive(Debug)]
pub struct RadioHandle {
    orders: mpsc::UnboundedSender<RadioOrder>,
    events: mpsc::UnboundedReceiver<RadioEvent>,
}

/// The radio's side of a [`RadioHandle`].
#[derive(Debug)]
pub struct RadioPort {
    /// Orders, in order.
    pub orders: mpsc::UnboundedReceiver<RadioOrder>,
    /// Where events go. Nobody listens any more if sending fails.
    pub events: mpsc::UnboundedSender<RadioEvent>,
}

impl RadioHandle {
    /// A handle, and the port that a radio serves.
    #[must_use]
    pub fn pair() -> (Self, RadioPort) {
        let (order_sender, orders) = mpsc::unbounded_channel();
        let (event_sender, events) = mpsc::unbounded_channel();
        (Self { orders: order_sender, events }, RadioPort { orders, events: event_sender })
    }

    /// Gives an order. A radio that has ended takes none; its last event said why.
    pub fn order(&self, order: RadioOrder) {
        let _ = self.orders.send(order);
    }

    /// The next event; `None` if the radio has ended. Can be dropped and called again.
    pub async fn event(&mut self) -> Option<RadioEvent> {
        self.events.recv().await
    }

    /// Takes everything off the air and ends the radio.
    pub async fn shut_down(self) {
        let (done, ended) = oneshot::channel();
        self.order(RadioOrder::ShutDown(done));
        let _ = ended.await;
    }
}
