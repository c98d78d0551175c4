//! The loop between an engine and a radio, in virtual time: the real engine, and a radio that is
//! played by the test through the port that every radio serves.

#![allow(clippy::unwrap_used, reason = "a failed assumption of a test is a failed test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::BootId;
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Engine, EngineConfiguration, Input};
use chikaku_core::export::TrustedKeys;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::TransmitPowerDbm;
use chikaku_core::status::Reason;
use chikaku_core::time::Timestamp;
use chikaku_radio::node::{HostClock, HostTime, Node, TAKE_DOWN_MILLIS};
use chikaku_radio::radio::{
    RadioCondition, RadioEvent, RadioFault, RadioHandle, RadioOrder, RadioPort, ReportSource,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::time::Instant;

const MIDNIGHT: i64 = 1_775_433_600;

/// Tokio's paused clock; the wall clock can be set.
#[derive(Clone)]
struct VirtualClock {
    began: Instant,
    wall_began_millis: Arc<AtomicI64>,
}

impl VirtualClock {
    fn new() -> Self {
        let wall = Arc::new(AtomicI64::new((MIDNIGHT + 60) * 1000));
        Self { began: Instant::now(), wall_began_millis: wall }
    }

    fn set_ahead(&self, seconds: i64) {
        self.wall_began_millis.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl HostClock for VirtualClock {
    fn now(&self) -> HostTime {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        HostTime {
            wall_millis: self.wall_began_millis.load(Ordering::Relaxed) + elapsed,
            monotonic_millis: u64::try_from(elapsed).unwrap() + 5_000_000,
        }
    }

    fn boot(&self) -> BootId {
        BootId::from_count(1)
    }
}

type TestNode = Node<MemoryLog, VirtualClock, ChaCha20Rng>;

fn node() -> (TestNode, RadioPort, VirtualClock) {
    let power = TransmitPowerDbm::new(-24).unwrap();
    let configuration = EngineConfiguration::cocoa(power, TrustedKeys::new());
    let engine = Engine::open(configuration, MemoryLog::new()).unwrap();
    let (radio, port) = RadioHandle::pair();
    let clock = VirtualClock::new();
    let mut node = Node::new(engine, radio, clock.clone(), ChaCha20Rng::from_seed([1; 32]));
    node.give(Input::Start).unwrap();
    (node, port, clock)
}

/// Lets the node run for `seconds`, answering its orders as a good radio does; returns what it
/// ordered, with the milliseconds since midnight.
async fn run(
    node: &mut TestNode,
    port: &mut RadioPort,
    clock: &VirtualClock,
    seconds: u64,
) -> Vec<(i64, RadioOrder)> {
    let end = tokio::time::sleep(Duration::from_secs(seconds));
    tokio::pin!(end);
    let mut orders = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = &mut end => return orders,
            Some(order) = port.orders.recv() => {
                let now = clock.now().wall_millis;
                let answer = match &order {
                    RadioOrder::Advertise(plan) => {
                        Some(RadioEvent::AdvertisingStarted { plan: plan.number })
                    }
                    RadioOrder::Scan(plan) => Some(scanned(now / 1000, plan.seconds)),
                    _ => None,
                };
                if let Some(answer) = answer {
                    port.events.send(answer).unwrap();
                }
                orders.push((now - MIDNIGHT * 1000, order));
            }
            events = node.step() => drop(events.unwrap()),
        }
    }
}

/// A scan with one neighbour, over as soon as it is ordered.
fn scanned(at: i64, seconds: u32) -> RadioEvent {
    let started = Timestamp::from_unix_seconds(at - i64::from(seconds)).unwrap();
    let ended = Timestamp::from_unix_seconds(at).unwrap();
    let advertisement = Advertisement::from_service_data(&[9; 20]).unwrap();
    let received = vec![ReceivedAdvertisement { heard_at: ended, rssi: None, advertisement }];
    let result = ScanResult { started, ended, received, malformed: 0, ended_reading: None };
    RadioEvent::Scanned { result, source: ReportSource::Controller }
}

#[tokio::test(start_paused = true)]
async fn every_payload_is_off_the_air_before_its_interval_ends() {
    let (mut node, mut port, clock) = node();
    let orders = run(&mut node, &mut port, &clock, 6 * 3600).await;
    let mut on_air: Option<(i64, i64)> = None;
    let mut intervals = Vec::new();
    for (at, order) in &orders {
        match order {
            RadioOrder::Advertise(plan) => {
                assert!(on_air.is_none(), "the one before is still on the air");
                let until = (plan.until.unix_seconds() - MIDNIGHT) * 1000;
                assert!(*at < until && *at >= until - 600_000);
                on_air = Some((*at, until));
            }
            RadioOrder::StopAdvertising => {
                let (from, until) = on_air.take().expect("something is on the air");
                assert!((0..=TAKE_DOWN_MILLIS).contains(&(until - at)), "{}", until - at);
                intervals.push((from, *at));
            }
            _ => {}
        }
    }
    assert_eq!(intervals.len(), 36);
    let silent: i64 = intervals.windows(2).map(|pair| pair[1].0 - pair[0].1).sum();
    assert!(silent < 35 * (TAKE_DOWN_MILLIS + 100), "{silent} ms of silence");
    assert!(node.engine().is_on_the_air());
}

#[tokio::test(start_paused = true)]
async fn scans_come_as_planned_and_what_they_hear_is_kept() {
    let (mut node, mut port, clock) = node();
    let orders = run(&mut node, &mut port, &clock, 6 * 3600).await;
    let scans: Vec<_> = orders
        .iter()
        .filter_map(|(at, order)| matches!(order, RadioOrder::Scan(_)).then_some(*at))
        .collect();
    let longest = scans.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(scans.len() > 70 && longest <= 301_000, "{} scans, {longest} ms", scans.len());
    let mut kept = 0;
    node.engine().log().visit_sightings(&mut |_| kept += 1).unwrap();
    assert!(kept >= scans.len() - 1, "{kept} of {}", scans.len());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_is_noticed_within_seconds() {
    let (mut node, mut port, clock) = node();
    run(&mut node, &mut port, &clock, 30).await;
    clock.set_ahead(7200);
    let orders = run(&mut node, &mut port, &clock, 11).await;
    assert!(orders.iter().any(|(_, order)| matches!(order, RadioOrder::Advertise(_))));
    assert!(node.status().reasons.contains(&Reason::ClockSuspect));
}

#[tokio::test(start_paused = true)]
async fn what_the_radio_cannot_do_is_in_the_status() {
    let (mut node, port, _) = node();
    for (condition, reason) in [
        (RadioCondition::PoweredOff, Reason::BluetoothOff),
        (RadioCondition::NoService, Reason::BluetoothOff),
        (RadioCondition::NoAdapter, Reason::Unsupported),
        (RadioCondition::CannotAdvertise, Reason::Unsupported),
        (RadioCondition::PermissionDenied, Reason::PermissionMissing),
    ] {
        port.events.send(RadioEvent::Condition(condition)).unwrap();
        node.step().await.unwrap();
        assert!(node.status().reasons.contains(&reason), "{condition:?}");
    }
    port.events.send(RadioEvent::Condition(RadioCondition::Ready)).unwrap();
    node.step().await.unwrap();
    let radio = [Reason::BluetoothOff, Reason::Unsupported, Reason::PermissionMissing];
    assert!(node.status().reasons.is_disjoint(&radio.into()));

    let reason = RadioFault::Released;
    port.events.send(RadioEvent::AdvertisingFailed { plan: 1, reason }).unwrap();
    node.step().await.unwrap();
    assert!(node.status().reasons.contains(&Reason::AdvertisingRefused));
    drop(port);
    node.step().await.unwrap();
    assert!(node.status().reasons.contains(&Reason::BluetoothOff));
}
