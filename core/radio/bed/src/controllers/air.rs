//! The air: who sends when, who hears it, and how strongly.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use anyhow::Context;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::Arguments;
use super::connections::Connections;
use super::controller::{Advertiser, Controller, FromHost};
use super::truth::{Truth, address};

/// The random delay that is added to each interval (Bluetooth Core, vol. 6 part B, 4.4.2.2.1).
const MOST_DELAY_MICROS: u64 = 10_000;
/// How often passers-by send: the measured median of phones.
const CROWD_INTERVAL: Duration = Duration::from_millis(270);
/// Nobody listens, so only a host or a control line can change anything.
const IDLE: Duration = Duration::from_secs(60);
/// Below it a receiver hears nothing, dBm: usual for Bluetooth LE at 1 Mbit/s.
const SENSITIVITY: f64 = -94.0;
/// The number of whoever has no controller.
const NOBODY: usize = usize::MAX;
/// Legacy PDU type of a scan response.
const SCAN_RESPONSE: u8 = 4;

pub(crate) struct Air {
    controllers: Vec<Option<Controller>>,
    connections: Connections,
    /// Passers-by, each with the strength at which everybody hears it.
    crowd: Vec<(Advertiser, f64)>,
    strength: BTreeMap<(usize, usize), f64>,
    default_strength: f64,
    noise: f64,
    loss: f64,
    extended: bool,
    rng: ChaCha8Rng,
    truth: Truth,
    /// Whether nobody listened when anybody could last have sent. Nothing is sent then: a day of
    /// it would cost minutes and change nothing.
    idle: bool,
    control: Option<Vec<u8>>,
}

impl Air {
    pub(crate) fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        let controllers = (0..arguments.count)
            .map(|number| Controller::add(number).map(Some))
            .collect::<Result<_, _>>()
            .context("/dev/vhci")?;
        let mut air = Self {
            controllers,
            connections: Connections::default(),
            crowd: Vec::new(),
            strength: BTreeMap::new(),
            default_strength: arguments.rssi,
            noise: arguments.noise,
            loss: arguments.loss,
            extended: arguments.extended,
            rng: ChaCha8Rng::seed_from_u64(arguments.seed),
            truth: Truth::create(&arguments.truth).context("ground truth")?,
            idle: true,
            control: Some(Vec::new()),
        };
        air.set_crowd(arguments.crowd);
        Ok(air)
    }

    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        loop {
            self.wait()?;
            for number in 0..self.controllers.len() {
                while let Some(message) = self
                    .controllers
                    .get_mut(number)
                    .and_then(Option::as_mut)
                    .and_then(Controller::receive)
                {
                    self.take(number, message);
                }
            }
            self.send();
        }
    }

    fn take(&mut self, number: usize, message: FromHost) {
        match message {
            FromHost::Data(data) => self.connections.data(&mut self.controllers, number, &data),
            FromHost::Command(opcode, parameters) => {
                let command = (opcode, &parameters[..]);
                let (controllers, truth) = (&mut self.controllers, &mut self.truth);
                if self.connections.obey(controllers, number, command, truth) {
                    return;
                }
                if let Some(Some(controller)) = controllers.get_mut(number) {
                    let context = (number, self.extended, now());
                    controller.obey(command, context, truth, &mut self.rng);
                }
            }
        }
    }

    /// Until a host says something, a control line comes or somebody has to send.
    fn wait(&mut self) -> anyhow::Result<()> {
        let sets = self.controllers.iter().flatten().flat_map(|one| one.sets.values());
        let all = sets.chain(self.crowd.iter().map(|(one, _)| one));
        let due = all.filter(|one| one.on && !self.idle);
        let next = due.map(|one| one.due).min().map(|due| due.saturating_sub(now()));
        let timeout = Timespec::try_from(next.unwrap_or(IDLE))?;
        let stdin = std::io::stdin();
        let readable = {
            let devices = self.controllers.iter().flatten();
            let mut waited: Vec<_> =
                devices.map(|one| PollFd::new(&one.device, PollFlags::IN)).collect();
            if self.control.is_some() {
                waited.push(PollFd::new(&stdin, PollFlags::IN));
            }
            poll(&mut waited, Some(&timeout))?;
            self.control.is_some() && waited.last().is_some_and(|last| !last.revents().is_empty())
        };
        if readable {
            let mut bytes = [0; 512];
            let length = std::io::stdin().read(&mut bytes).unwrap_or(0);
            let mut pending = self.control.take().unwrap_or_default();
            if length > 0 {
                pending.extend(bytes.iter().take(length));
                while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<_> = pending.drain(..=end).collect();
                    self.control_line(String::from_utf8_lossy(&line).trim())?;
                }
                self.control = Some(pending);
            }
        }
        Ok(())
    }

    fn control_line(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["rssi", from, to, strength] => {
                self.strength.insert((from.parse()?, to.parse()?), strength.parse()?);
            }
            ["loss", loss] => self.loss = loss.parse()?,
            ["crowd", count] => self.set_crowd(count.parse()?),
            ["remove", number] => {
                let number: usize = number.parse()?;
                if let Some(controller) = self.controllers.get_mut(number) {
                    *controller = None;
                    self.connections.lose(&mut self.controllers, number);
                    self.truth.say(number, "removed", json!({}));
                }
            }
            ["add", number] => {
                let number: usize = number.parse()?;
                if let Some(controller) = self.controllers.get_mut(number) {
                    *controller = Some(Controller::add(number)?);
                    self.truth.say(number, "added", json!({}));
                }
            }
            ["mute", count, uuid] => self.set_mute(count.parse()?, uuid)?,
            ["flush"] => self.truth.flush(),
            _ => anyhow::bail!("no such control line: {line}"),
        }
        Ok(())
    }

    /// Passers-by with a payload of the service, each its own.
    fn set_crowd(&mut self, count: usize) {
        let rng = &mut self.rng;
        let passer_by = |_| {
            let mut address = [0; 6];
            rng.fill_bytes(&mut address);
            // Non-resolvable.
            address[5] &= 0x3f;
            let mut data = vec![2, 1, 0x1a, 3, 3, 0x6f, 0xfd, 0x17, 0x16, 0x6f, 0xfd];
            let mut payload = [0; 20];
            rng.fill_bytes(&mut payload);
            data.extend(payload);
            let due = now() + Duration::from_micros(rng.next_u64() % 270_000);
            let advertiser = Advertiser {
                on: true,
                kind: 3,
                random_address: true,
                address,
                data,
                response: Vec::new(),
                interval: CROWD_INTERVAL,
                due,
            };
            (advertiser, -50.0 - 40.0 * fraction(rng))
        };
        self.crowd = (0..count).map(passer_by).collect();
    }

    /// Advertisers that invite to a connection, and never say anything over it.
    fn set_mute(&mut self, count: u8, uuid: &str) -> anyhow::Result<()> {
        let mut service = hex::decode(uuid.replace('-', "")).map_err(anyhow::Error::msg)?;
        service.reverse();
        let mute = |number| Advertiser {
            on: true,
            random_address: true,
            address: [number, 0, 0, 0, 0, 0xc0],
            data: [&[2, 1, 6, 0x11, 7][..], &service].concat(),
            interval: CROWD_INTERVAL,
            due: now(),
            ..Advertiser::default()
        };
        self.crowd = (0..count).map(|number| (mute(number), -30.0)).collect();
        Ok(())
    }

    /// Everybody whose time has come sends once.
    fn send(&mut self) {
        let now = now();
        let listens = |one: &Controller| one.scan.on || one.connecting.is_some();
        if !self.controllers.iter().flatten().any(listens) {
            self.idle = true;
            return;
        }
        if core::mem::take(&mut self.idle) {
            // Everybody is somewhere between two of their advertisements.
            let sets = self.controllers.iter_mut().flatten().flat_map(|one| one.sets.values_mut());
            for one in sets.chain(self.crowd.iter_mut().map(|(one, _)| one)) {
                one.due = now + one.interval.mul_f64(fraction(&mut self.rng));
            }
        }
        let mut sent = Vec::new();
        for (number, controller) in self.controllers.iter_mut().enumerate() {
            for set in controller.iter_mut().flat_map(|one| one.sets.values_mut()) {
                if fire(set, now, &mut self.rng) {
                    sent.push((Some(number), self.default_strength, set.clone()));
                }
            }
        }
        for (passer_by, strength) in &mut self.crowd {
            if fire(passer_by, now, &mut self.rng) {
                sent.push((None, *strength, passer_by.clone()));
            }
        }
        for (from, strength, advertiser) in sent {
            if advertiser.kind == 0 {
                let from = from.unwrap_or(NOBODY);
                let truth = &mut self.truth;
                self.connections.meet(&mut self.controllers, from, &advertiser, truth);
            }
            for to in 0..self.controllers.len() {
                if from != Some(to) {
                    let of_pair = from.and_then(|from| self.strength.get(&(from, to)).copied());
                    self.hear(to, &advertiser, of_pair.unwrap_or(strength));
                }
            }
        }
    }

    fn hear(&mut self, to: usize, from: &Advertiser, strength: f64) {
        let Some(Some(controller)) = self.controllers.get_mut(to) else { return };
        let heard = controller.scan.duty * (1.0 - self.loss);
        if !controller.scan.on || strength < SENSITIVITY || fraction(&mut self.rng) >= heard {
            return;
        }
        if controller.scan.filter && !controller.scan.seen.insert(from.address.to_vec()) {
            return;
        }
        let mut measure = || rssi(strength + self.noise * gauss(&mut self.rng));
        let strength = measure();
        controller.report(from, from.kind, &from.data, strength);
        let fields = json!({
            "address": address(&from.address),
            "data": hex::encode(&from.data),
            "rssi": strength,
        });
        self.truth.say(to, "report", fields);
        if controller.scan.active && matches!(from.kind, 0 | 2) {
            controller.report(from, SCAN_RESPONSE, &from.response, measure());
        }
    }
}

fn fire(advertiser: &mut Advertiser, now: Duration, rng: &mut impl Rng) -> bool {
    if !advertiser.on || advertiser.due > now {
        return false;
    }
    let delay = Duration::from_micros(rng.next_u64() % MOST_DELAY_MICROS);
    advertiser.due = now + advertiser.interval.max(Duration::from_millis(20)) + delay;
    true
}

/// Uniform in 0..1.
fn fraction(rng: &mut impl Rng) -> f64 {
    f64::from(rng.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// Near enough to a normal distribution with variance 1: the sum of twelve uniform ones.
fn gauss(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| fraction(rng)).sum::<f64>() - 6.0
}

#[expect(clippy::cast_possible_truncation, reason = "held within the range")]
fn rssi(strength: f64) -> i8 {
    strength.clamp(-127.0, 20.0).round() as i8
}

/// A clock that nobody can set.
pub(crate) fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
