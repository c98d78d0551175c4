//! Any machine: compressions and blocks from RustCrypto, which finds AES and SHA instructions
//! itself where there are some. What is saved here is two of eight compressions.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc};
use sha2::block_api::compress256;

use super::super::filter::{Hit, look_up};
use super::{GROUP, KEYS, Kernel, UNIT, hkdf, units};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// The expanded key of each identifier key.
#[derive(Debug)]
pub(crate) struct Schedules([Aes128Enc; KEYS]);

/// Quads that are encrypted in one call, so that a cipher with parallel blocks can use them.
const QUADS_AT_ONCE: usize = 38;

impl Kernel for Portable {
    type Schedules = Schedules;

    // Decryption needs its own key schedule, but no look-up.
    const DECRYPT_PERCENT: usize = 100;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Schedules {
        Schedules(core::array::from_fn(|key| {
            let identifier_key = keys.get(key).map(identifier_key).unwrap_or_default();
            Aes128Enc::new(&identifier_key.into())
        }))
    }

    fn encrypt_aligned<const N: usize>(
        self,
        schedules: &Schedules,
        groups: usize,
        quads: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    ) {
        let starts = [[0; GROUP]; KEYS / GROUP];
        let starts = starts.get(..groups).unwrap_or(&starts);
        self.encrypt_mixed(schedules, starts, quads, words, hits);
    }

    fn encrypt_mixed<const N: usize>(
        self,
        schedules: &Schedules,
        starts: &[[u32; GROUP]],
        offsets: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    ) {
        let groups = schedules.0.as_chunks::<GROUP>().0.iter().zip(starts);
        for (group, (ciphers, starts)) in groups.enumerate() {
            for (part, offsets) in offsets.chunks(QUADS_AT_ONCE).enumerate() {
                let prefixes = encrypted(ciphers, starts, offsets);
                let units = units(group, offsets, part * QUADS_AT_ONCE);
                for ((unit, _), prefixes) in units.zip(&prefixes) {
                    look_up(words, unit, prefixes, hits);
                }
            }
        }
    }

    fn decrypt(
        self,
        schedules: &Schedules,
        group: usize,
        epoch: u32,
        identifiers: &[[u8; 16]],
        mut found: impl FnMut(usize, usize),
    ) {
        for key in 0..GROUP {
            let Some(cipher) = schedules.0.get(group * GROUP + key) else { continue };
            let cipher = Aes128Dec::from(cipher.clone());
            for (part, identifiers) in identifiers.chunks(32).enumerate() {
                let mut blocks = [Array::from([0; 16]); 32];
                let blocks = blocks.get_mut(..identifiers.len()).unwrap_or_default();
                for (block, identifier) in blocks.iter_mut().zip(identifiers) {
                    *block = Array::from(*identifier);
                }
                cipher.decrypt_blocks(blocks);
                for (number, block) in blocks.iter().enumerate() {
                    if block[..12] == super::BLOCK[..12] && block[14..] == epoch.to_le_bytes()[2..]
                    {
                        found(key, part * 32 + number);
                    }
                }
            }
        }
    }
}

/// The prefixes of up to [`QUADS_AT_ONCE`] quads of four keys.
fn encrypted(
    ciphers: &[Aes128Enc; GROUP],
    starts: &[u32; GROUP],
    offsets: &[u32],
) -> [[u32; UNIT]; QUADS_AT_ONCE / 2] {
    let mut units = [[0; UNIT]; QUADS_AT_ONCE / 2];
    for (key, (cipher, start)) in ciphers.iter().zip(starts).enumerate() {
        let mut blocks = [[Array::from(*super::BLOCK); 4]; QUADS_AT_ONCE];
        for (quad, offset) in blocks.iter_mut().zip(offsets) {
            for (block, interval) in quad.iter_mut().zip(0_u32..) {
                let interval = start.wrapping_add(*offset).wrapping_add(interval);
                block[12..].copy_from_slice(&interval.to_le_bytes());
            }
        }
        let blocks = blocks.get_mut(..offsets.len()).unwrap_or_default();
        cipher.encrypt_blocks(blocks.as_flattened_mut());
        for (number, quad) in blocks.iter().enumerate() {
            let place = number % 2 * (UNIT / 2) + key * 4;
            let unit = units.get_mut(number / 2).and_then(|unit| unit.get_mut(place..));
            for (prefix, block) in unit.unwrap_or_default().iter_mut().zip(quad) {
                *prefix = u32::from_le_bytes([block[0], block[1], block[2], block[3]]);
            }
        }
    }
    units
}

/// RPIK of one key in six compressions.
pub(super) fn identifier_key(key: &[u8; 16]) -> [u8; 16] {
    let digest = finished(hkdf::SALT_INNER, key, hkdf::KEY_MESSAGE_BITS);
    let pseudorandom_key = finished(hkdf::SALT_OUTER, &bytes(digest), hkdf::DIGEST_MESSAGE_BITS);
    let mut inner = padded(&pseudorandom_key, hkdf::INNER_PAD);
    let outer = padded(&pseudorandom_key, hkdf::OUTER_PAD);
    compress256(&mut inner, &[const { block_bytes(hkdf::INFO_BLOCK) }]);
    let output = bytes(finished(outer, &bytes(inner), hkdf::DIGEST_MESSAGE_BITS));
    let mut identifier_key = [0; 16];
    identifier_key.copy_from_slice(&output[..16]);
    identifier_key
}

/// The state behind a last block that holds `body`.
fn finished(mut state: [u32; 8], body: &[u8], bits: u32) -> [u32; 8] {
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(body.iter().chain(&[0x80])) {
        *place = *byte;
    }
    block[60..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, &[block]);
    state
}

/// HMAC's state behind the block of its key.
fn padded(key: &[u32; 8], pad: u32) -> [u32; 8] {
    let mut words = [pad; 16];
    for (word, key) in words.iter_mut().zip(key) {
        *word ^= key;
    }
    let mut state = hkdf::INITIAL;
    compress256(&mut state, &[block_bytes(words)]);
    state
}

fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    bytes
}

const fn block_bytes(words: [u32; 16]) -> [u8; 64] {
    let mut bytes = [0; 64];
    let mut byte = 0;
    while byte < 64 {
        bytes[byte] = words[byte / 4].to_be_bytes()[byte % 4];
        byte += 1;
    }
    bytes
}
