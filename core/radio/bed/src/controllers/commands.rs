//! The commands of a controller, as far as Linux and BlueZ use them (Bluetooth Core 5.2, vol. 4
//! part E, 7).

use std::time::Duration;

use rand_core::Rng;
use serde_json::json;

use super::controller::{Advertiser, Controller, LEGACY_SET};
use super::truth::{Truth, address};

const SUCCESS: u8 = 0;
const UNKNOWN_COMMAND: u8 = 1;

/// Octet and bit of each command that is supported (6.27): reset, masks, version, features,
/// address; low energy basics, advertising, scanning; accept list, encryption, states; resolving
/// list.
const SUPPORTED: [(usize, u8); 33] = [
    (5, 6),
    (5, 7),
    (14, 3),
    (14, 5),
    (15, 1),
    (25, 0),
    (25, 1),
    (25, 2),
    (25, 4),
    (25, 5),
    (25, 6),
    (25, 7),
    (26, 0),
    (26, 1),
    (26, 2),
    (26, 3),
    (26, 4),
    (26, 5),
    (26, 6),
    (26, 7),
    (27, 0),
    (27, 1),
    (27, 2),
    (27, 3),
    (27, 6),
    (27, 7),
    (28, 3),
    (34, 3),
    (34, 4),
    (34, 5),
    (34, 6),
    (35, 1),
    (35, 2),
];
/// Extended advertising and scanning.
const SUPPORTED_EXTENDED: [(usize, u8); 13] = [
    (36, 1),
    (36, 2),
    (36, 3),
    (36, 4),
    (36, 5),
    (36, 6),
    (36, 7),
    (37, 0),
    (37, 1),
    (37, 5),
    (37, 6),
    (37, 7),
    (38, 0),
];

/// The parameters of a command, zero where the host sent less.
struct Parameters<'p>(&'p [u8]);

impl Parameters<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn on(&self, at: usize) -> bool {
        self.byte(at) != 0
    }

    /// A time in units of 0.625 ms.
    fn slots(&self, at: usize) -> Duration {
        let slots = u16::from_le_bytes([self.byte(at), self.byte(at + 1)]);
        Duration::from_micros(u64::from(slots) * 625)
    }

    fn address(&self, at: usize) -> [u8; 6] {
        core::array::from_fn(|index| self.byte(at + index))
    }

    /// Data behind its length.
    fn data(&self, at: usize) -> Vec<u8> {
        let length = usize::from(self.byte(at));
        self.0.iter().skip(at + 1).take(length).copied().collect()
    }
}

impl Controller {
    /// Carries out a command and answers it.
    pub(crate) fn obey(
        &mut self,
        (opcode, parameters): (u16, &[u8]),
        (number, extended, now): (usize, bool, Duration),
        truth: &mut Truth,
        rng: &mut impl Rng,
    ) {
        let parameters = Parameters(parameters);
        let mut answer = vec![SUCCESS];
        match opcode {
            0x0c03 => {
                self.sets.clear();
                self.connecting = None;
                self.set_scanning(false, number, truth);
            }
            0x1001 => answer.extend([9, 0, 0, 9, 0xf1, 0x05, 0, 0]),
            0x1002 => answer.extend(supported(extended)),
            // Low energy, and nothing else.
            0x1003 => answer.extend([0, 0, 0, 0, 0x60, 0, 0, 0]),
            0x1005 => answer.extend([0xfb, 0x01, 64, 4, 0, 4, 0]),
            0x1009 => answer.extend(self.address),
            0x2002 => answer.extend([251, 0, 4]),
            0x2003 => answer.extend([1, if extended { 0x10 } else { 0 }, 0, 0, 0, 0, 0, 0]),
            0x2007 => answer.push(0),
            0x200f | 0x202a => answer.push(16),
            0x201c => answer.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0, 0]),
            0x2017 => answer.extend([0; 16]),
            0x2018 => answer.extend(rng.next_u64().to_le_bytes()),
            0x203a => answer.extend([31, 0]),
            0x203b => answer.push(4),
            0x2005 => self.random_address = parameters.address(0),
            0x2006 => {
                let set = self.sets.entry(LEGACY_SET).or_default();
                set.interval = parameters.slots(0).max(Duration::from_millis(20));
                set.kind = parameters.byte(4);
                set.random_address = parameters.byte(5) & 1 == 1;
            }
            0x2008 => self.set_data(LEGACY_SET, parameters.data(0), number, truth),
            0x2009 => self.sets.entry(LEGACY_SET).or_default().response = parameters.data(0),
            0x200a => self.enable(LEGACY_SET, parameters.on(0), (number, now), truth),
            0x200b => {
                self.scan.active = parameters.on(0);
                self.scan.duty = duty(parameters.slots(1), parameters.slots(3));
            }
            0x200c | 0x2042 => {
                self.scan.extended = opcode == 0x2042;
                self.scan.filter = parameters.on(1);
                self.set_scanning(parameters.on(0), number, truth);
            }
            0x2035 => {
                self.sets.entry(parameters.byte(0)).or_default().address = parameters.address(1)
            }
            0x2036 => {
                let set = self.sets.entry(parameters.byte(0)).or_default();
                let slots = [parameters.byte(3), parameters.byte(4), parameters.byte(5), 0];
                set.interval = Duration::from_micros(u64::from(u32::from_le_bytes(slots)) * 625);
                set.kind = match parameters.byte(1) & 0b11 {
                    0b01 | 0b11 => 0,
                    0b10 => 2,
                    _ => 3,
                };
                set.random_address = parameters.byte(10) & 1 == 1;
                // The transmit power chosen.
                answer.push(0);
            }
            0x2037 => self.set_data(parameters.byte(0), parameters.data(3), number, truth),
            0x2038 => {
                self.sets.entry(parameters.byte(0)).or_default().response = parameters.data(3);
            }
            0x2039 => {
                let on = parameters.on(0);
                let named: Vec<_> = (0..usize::from(parameters.byte(1)))
                    .map(|index| parameters.byte(2 + 4 * index))
                    .collect();
                let all = self.sets.keys().copied().collect();
                for set in if named.is_empty() { all } else { named } {
                    self.enable(set, on, (number, now), truth);
                }
            }
            0x203c => drop(self.sets.remove(&parameters.byte(0))),
            0x203d => self.sets.clear(),
            0x2041 => {
                self.scan.active = parameters.on(3);
                self.scan.duty = duty(parameters.slots(4), parameters.slots(6));
            }
            0x0c01 | 0x0c6d | 0x2001 | 0x2010 | 0x2011 | 0x2012 | 0x2027 | 0x2028 | 0x2029
            | 0x202d | 0x202e | 0x2031 => {}
            _ => {
                answer = vec![UNKNOWN_COMMAND];
                truth.say(number, "unknown_command", json!({"opcode": format!("{opcode:04x}")}));
            }
        }
        self.complete(opcode, &answer);
    }

    fn set_scanning(&mut self, on: bool, number: usize, truth: &mut Truth) {
        if on != self.scan.on {
            let fields = json!({"filter": self.scan.filter, "active": self.scan.active});
            truth.say(number, if on { "scan_on" } else { "scan_off" }, fields);
        }
        self.scan.on = on;
        self.scan.seen.clear();
    }

    fn set_data(&mut self, handle: u8, data: Vec<u8>, number: usize, truth: &mut Truth) {
        let set = self.sets.entry(handle).or_default();
        if set.on && set.data != data {
            // What must never happen: two payloads that one address links.
            let fields = json!({"address": address(&set.address), "data": hex::encode(&data)});
            truth.say(number, "data_changed_while_on", fields);
        }
        set.data = data;
    }

    fn enable(
        &mut self,
        handle: u8,
        on: bool,
        (number, now): (usize, Duration),
        truth: &mut Truth,
    ) {
        let (own, random) = (self.address, self.random_address);
        let set = self.sets.entry(handle).or_default();
        if handle == LEGACY_SET || set.address == [0; 6] {
            set.address = if set.random_address { random } else { own };
        }
        if on != set.on {
            let fields = json!({
                "set": handle,
                "kind": set.kind,
                "random": set.random_address,
                "address": address(&set.address),
                "data": hex::encode(&set.data),
                "interval_ms": u64::try_from(set.interval.as_millis()).unwrap_or(u64::MAX),
            });
            truth.say(number, if on { "advertising_on" } else { "advertising_off" }, fields);
        }
        *set = Advertiser { on, due: now, ..set.clone() };
    }
}

fn supported(extended: bool) -> [u8; 64] {
    let mut bits = [0; 64];
    let extra = SUPPORTED_EXTENDED.iter().filter(|_| extended);
    for (octet, bit) in SUPPORTED.iter().chain(extra) {
        if let Some(octet) = bits.get_mut(*octet) {
            *octet |= 1 << bit;
        }
    }
    bits
}

fn duty(interval: Duration, window: Duration) -> f64 {
    if interval.is_zero() { 1.0 } else { (window.as_secs_f64() / interval.as_secs_f64()).min(1.0) }
}
