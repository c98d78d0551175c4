//! Connections between the controllers, as far as a read over GATT needs them: legacy ones, without
//! encryption, without loss.

use serde_json::json;

use super::controller::{Advertiser, Controller, LEGACY_SET};
use super::truth::Truth;

const SUCCESS: u8 = 0;
const UNKNOWN_CONNECTION: u8 = 0x02;
const CONNECTION_TIMEOUT: u8 = 0x08;
const REMOTE_USER_TERMINATED: u8 = 0x13;
const LOCAL_HOST_TERMINATED: u8 = 0x16;
const CENTRAL: u8 = 0;
const PERIPHERAL: u8 = 1;
/// The low bits of a handle; those above say how the packet begins.
const HANDLE_BITS: u16 = 0x0fff;
/// The first, automatically flushable piece of a message, as a controller hands it to its host.
const FIRST_PIECE: u16 = 0b10 << 12;
const PIECE_BITS: u16 = 0b11 << 12;

/// Both ends have the same handle, so that nothing has to be translated.
#[derive(Clone, Copy)]
struct Connection {
    handle: u16,
    central: usize,
    peripheral: usize,
}

#[derive(Default)]
pub(crate) struct Connections {
    open: Vec<Connection>,
    made: u16,
}

type Controllers = [Option<Controller>];

impl Connections {
    /// Carries out a command about connections; `false` if it is none.
    pub(crate) fn obey(
        &mut self,
        controllers: &mut Controllers,
        number: usize,
        (opcode, parameters): (u16, &[u8]),
        truth: &mut Truth,
    ) -> bool {
        let Some(Some(controller)) = controllers.get_mut(number) else { return false };
        let handle = parameters.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        let [low, high] = handle.to_le_bytes();
        match opcode {
            // LE Create Connection.
            0x200d => {
                controller.status(opcode);
                controller.connecting =
                    parameters.get(6..).and_then(<[u8]>::first_chunk::<6>).copied();
                truth.say(number, "connecting", json!({}));
            }
            // LE Create Connection Cancel.
            0x200e => {
                let wanted = controller.connecting.take();
                controller.complete(opcode, &[SUCCESS]);
                if let Some(address) = wanted {
                    complete(controller, UNKNOWN_CONNECTION, 0, CENTRAL, address);
                }
                truth.say(number, "connecting_cancelled", json!({}));
            }
            // Disconnect.
            0x0406 => {
                controller.status(opcode);
                self.close(controllers, handle, number, REMOTE_USER_TERMINATED);
                truth.say(number, "disconnected", json!({}));
            }
            // Read Remote Version Information.
            0x041d => {
                controller.status(opcode);
                controller.event(0x0c, &[SUCCESS, low, high, 9, 0xf1, 0x05, 0, 0]);
            }
            // LE Read Remote Features: none.
            0x2016 => {
                controller.status(opcode);
                controller.event(0x3e, &[4, SUCCESS, low, high, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
            // LE Connection Update.
            0x2013 => {
                controller.status(opcode);
                controller.event(0x3e, &[3, SUCCESS, low, high, 24, 0, 0, 0, 0xc8, 0]);
            }
            _ => return false,
        }
        true
    }

    /// An advertiser that can be connected to has sent; whoever waits for it connects.
    pub(crate) fn meet(
        &mut self,
        controllers: &mut Controllers,
        from: usize,
        advertiser: &Advertiser,
        truth: &mut Truth,
    ) {
        let waits = |one: &Option<Controller>| {
            one.as_ref().is_some_and(|one| one.connecting == Some(advertiser.address))
        };
        let Some(central) = controllers.iter().position(waits) else { return };
        self.made = self.made.wrapping_add(1) & 0x00ff;
        let connection = Connection { handle: self.made, central, peripheral: from };
        let mut own = [0; 6];
        if let Some(Some(controller)) = controllers.get_mut(central) {
            controller.connecting = None;
            own = controller.address;
            complete(controller, SUCCESS, connection.handle, CENTRAL, advertiser.address);
        }
        if let Some(Some(controller)) = controllers.get_mut(from) {
            // A controller that is connected to advertises no longer.
            controller.sets.entry(LEGACY_SET).or_default().on = false;
            complete(controller, SUCCESS, connection.handle, PERIPHERAL, own);
        }
        truth.say(central, "connected", json!({"to": from}));
        self.open.push(connection);
    }

    /// Hands data to the other end, and says to the sender that it is through.
    pub(crate) fn data(&self, controllers: &mut Controllers, number: usize, data: &[u8]) {
        let Some((head, rest)) = data.split_first_chunk::<2>() else { return };
        let head = u16::from_le_bytes(*head);
        let handle = head & HANDLE_BITS;
        let Some(connection) = self.open.iter().find(|one| one.handle == handle) else { return };
        let [low, high] = handle.to_le_bytes();
        if let Some(Some(controller)) = controllers.get_mut(number) {
            controller.event(0x13, &[1, low, high, 1, 0]);
        }
        let other = connection.other(number);
        let head = if head & PIECE_BITS == 0 { handle | FIRST_PIECE } else { head };
        if let Some(Some(controller)) = controllers.get_mut(other) {
            controller.data(&[&head.to_le_bytes()[..], rest].concat());
        }
    }

    /// A controller is gone; the others notice.
    pub(crate) fn lose(&mut self, controllers: &mut Controllers, number: usize) {
        let lost = |one: &&Connection| one.central == number || one.peripheral == number;
        let handles: Vec<_> = self.open.iter().filter(lost).map(|one| one.handle).collect();
        for handle in handles {
            self.close(controllers, handle, number, CONNECTION_TIMEOUT);
        }
    }

    fn close(&mut self, controllers: &mut Controllers, handle: u16, by: usize, reason: u8) {
        let Some(place) = self.open.iter().position(|one| one.handle == handle) else { return };
        let connection = self.open.swap_remove(place);
        let [low, high] = handle.to_le_bytes();
        for (end, reason) in [(by, LOCAL_HOST_TERMINATED), (connection.other(by), reason)] {
            if let Some(Some(controller)) = controllers.get_mut(end) {
                controller.event(0x05, &[SUCCESS, low, high, reason]);
            }
        }
    }
}

impl Connection {
    const fn other(self, number: usize) -> usize {
        if number == self.central { self.peripheral } else { self.central }
    }
}

/// LE Connection Complete. The peer's address is a public one, as every controller's here.
fn complete(controller: &mut Controller, status: u8, handle: u16, role: u8, peer: [u8; 6]) {
    let [low, high] = handle.to_le_bytes();
    let head = [1, status, low, high, role, u8::from(peer[5] & 0xc0 == 0xc0)];
    // An interval of 30 ms, no latency, a timeout of 2 s.
    let tail = [24, 0, 0, 0, 0xc8, 0, 0];
    controller.event(0x3e, &[&head[..], &peer, &tail].concat());
}
