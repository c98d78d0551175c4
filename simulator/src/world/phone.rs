//! A phone: an engine, its clock, its randomness and what it has on the air.

use std::collections::VecDeque;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::engine::{Engine, EngineConfiguration, Input, Output};
use chikaku_core::time::Timestamp;
use rand_chacha::ChaCha20Rng;

use super::key_server::KeyServer;
use crate::scenario::PhoneSpecification;

/// Earlier payloads that a scan which is going on may still need.
const PAYLOADS_KEPT: usize = 4;

#[derive(Debug)]
pub(super) struct Phone {
    engine: Engine<MemoryLog>,
    rng: ChaCha20Rng,
    clock_error_seconds: i32,
    started: bool,
    awaited: Option<Timestamp>,
    on_the_air: VecDeque<(Timestamp, Advertisement)>,
    files_downloaded: usize,
}

impl Phone {
    pub(super) fn new(
        specification: &PhoneSpecification,
        configuration: EngineConfiguration,
        rng: ChaCha20Rng,
    ) -> Self {
        let Ok(engine) = Engine::open(configuration, MemoryLog::new());
        Self {
            engine,
            rng,
            clock_error_seconds: specification.clock_error_seconds,
            started: false,
            awaited: None,
            on_the_air: VecDeque::new(),
            files_downloaded: 0,
        }
    }

    /// Switches the phone on; says whether it was off.
    pub(super) fn start(&mut self) -> bool {
        !core::mem::replace(&mut self.started, true)
    }

    pub(super) fn handle(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Output> {
        let clocks = self.clocks(now);
        let Ok(outputs) = self.engine.handle(input, clocks, &mut self.rng);
        outputs
    }

    /// When the engine wants to be woken, in true time and not before `earliest`; `None` if
    /// that is planned already. Only the latest such time is awaited.
    pub(super) fn await_wake(&mut self, earliest: Timestamp) -> Option<Timestamp> {
        let wake = shifted(self.engine.next_wake()?, -i64::from(self.clock_error_seconds));
        let wake = wake.max(earliest);
        let planned = self.awaited.replace(wake);
        (planned != Some(wake)).then_some(wake)
    }

    /// Whether a wake planned for `instant` is still wanted.
    pub(super) fn is_awaited(&self, instant: Timestamp) -> bool {
        self.awaited.is_none_or(|awaited| awaited == instant)
    }

    /// What this phone's clock shows at `instant`.
    pub(super) fn own_time(&self, instant: Timestamp) -> Timestamp {
        shifted(instant, i64::from(self.clock_error_seconds))
    }

    /// Both clocks of this phone at `instant`. It was switched on long before the beginning and is
    /// never restarted.
    pub(super) fn clocks(&self, instant: Timestamp) -> ClockReading {
        let since_1970 = u64::try_from(instant.unix_seconds()).unwrap_or(0);
        ClockReading {
            wall: self.own_time(instant),
            monotonic_seconds: since_1970,
            boot: BootId::from_count(1),
        }
    }

    pub(super) fn put_on_the_air(&mut self, payload: Advertisement, now: Timestamp) {
        self.on_the_air.push_front((now, payload));
        self.on_the_air.truncate(PAYLOADS_KEPT);
    }

    /// What this phone broadcast at `instant`.
    pub(super) fn payload_at(&self, instant: Timestamp) -> Option<Advertisement> {
        let since = self.on_the_air.iter().find(|(since, _)| *since <= instant);
        since.map(|(_, payload)| *payload)
    }

    /// The key files that are new to this phone.
    pub(super) fn download(&mut self, server: &KeyServer) -> Vec<Vec<u8>> {
        let new = server.files().get(self.files_downloaded..).unwrap_or_default().to_vec();
        self.files_downloaded = server.files().len();
        new
    }

    pub(super) const fn engine(&self) -> &Engine<MemoryLog> {
        &self.engine
    }
}

/// `instant` moved by `seconds`, held at the ends of time.
fn shifted(instant: Timestamp, seconds: i64) -> Timestamp {
    let by = u32::try_from(seconds.unsigned_abs()).unwrap_or(u32::MAX);
    if seconds < 0 { instant.saturating_sub(by) } else { instant.saturating_add(by) }
}
