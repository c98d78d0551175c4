//! 64-bit ARM with the AES and SHA-2 extensions: eight blocks of one key are on their way at
//! once, and keys are derived in pairs, so that nothing waits for itself.
//!
//! Tests run it on other machines, too, on a model of the instructions.

#![allow(unsafe_code, reason = "vector loads and stores, and the calls behind feature detection")]
#![cfg_attr(
    not(target_arch = "aarch64"),
    allow(unused_unsafe, reason = "the model has no target features")
)]

#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::*;

#[cfg(not(target_arch = "aarch64"))]
use super::armv8_model::*;

use super::super::filter::{Hit, Unit, look_up};
use super::{BLOCK, GROUP, KEYS, Kernel, UNIT, hkdf, units};

type Vector = uint8x16_t;

/// Proof that this machine has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armv8(());

impl Armv8 {
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn detect() -> Option<Self> {
        let found = std::arch::is_aarch64_feature_detected!("aes")
            && std::arch::is_aarch64_feature_detected!("sha2");
        found.then_some(Self(()))
    }

    /// The model needs nothing of the machine.
    #[cfg(not(target_arch = "aarch64"))]
    pub(crate) fn modelled() -> Self {
        Self(())
    }
}

/// Eleven round keys of each identifier key.
#[derive(Debug)]
pub(crate) struct Schedules([[Vector; 11]; KEYS]);

impl Kernel for Armv8 {
    type Schedules = Schedules;

    // Neither direction shares rounds between blocks; decryption needs no look-up.
    const DECRYPT_PERCENT: usize = 85;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Schedules {
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { schedules(keys) }
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
        for (group, (schedules, starts)) in schedules.0.as_chunks().0.iter().zip(starts).enumerate()
        {
            // SAFETY: `self` exists only where `detect` found every feature of the function.
            unsafe { encrypt(group, schedules, *starts, offsets, words, hits) }
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
        let Some(schedules) = schedules.0.as_chunks().0.get(group) else { return };
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { decrypt(schedules, epoch, identifiers, &mut found) }
    }
}

macro_rules! features {
    ($($item:item)*) => {$(
        #[inline]
        #[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon,aes,sha2"))]
        $item
    )*};
}

/// Words A B C D and E F G H.
type State = [uint32x4_t; 2];

features! {
fn load(block: &[u8; 16]) -> Vector {
    // SAFETY: the reference is to 16 readable bytes.
    unsafe { vld1q_u8(block.as_ptr()) }
}

fn stored(vector: Vector) -> [u8; 16] {
    let mut block = [0; 16];
    // SAFETY: the reference is to 16 writable bytes.
    unsafe { vst1q_u8(block.as_mut_ptr(), vector) };
    block
}

fn words(words: [u32; 4]) -> uint32x4_t {
    // SAFETY: the reference is to 16 readable bytes.
    unsafe { vld1q_u32(words.as_ptr()) }
}

// ------------------------------------------------------------------------------------ SHA-256

fn state(words_of: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *words_of;
    [words([a, b, c, d]), words([e, f, g, h])]
}

/// Two compressions of different keys, instruction by instruction side by side.
fn compress(before: [State; 2], mut message: [[uint32x4_t; 4]; 2]) -> [State; 2] {
    let mut states = before;
    for (step, round) in hkdf::ROUND.as_chunks::<4>().0.iter().enumerate() {
        let constants = words(*round);
        for (state, message) in states.iter_mut().zip(&mut message) {
            let sum = vaddq_u32(message[0], constants);
            let [abcd, efgh] = *state;
            *state = [vsha256hq_u32(abcd, efgh, sum), vsha256h2q_u32(efgh, abcd, sum)];
            let next = if step < 12 {
                let next = vsha256su0q_u32(message[0], message[1]);
                vsha256su1q_u32(next, message[2], message[3])
            } else {
                message[0]
            };
            *message = [message[1], message[2], message[3], next];
        }
    }
    for (state, before) in states.iter_mut().zip(before) {
        *state = [vaddq_u32(state[0], before[0]), vaddq_u32(state[1], before[1])];
    }
    states
}

/// RPIK of two keys.
fn identifier_keys_of(keys: &[[u8; 16]; 2]) -> [[u8; 16]; 2] {
    let zero = words([0; 4]);
    let end = words([hkdf::MESSAGE_END, 0, 0, 0]);
    let digest_end = words([0, 0, 0, hkdf::DIGEST_MESSAGE_BITS]);
    let key_end = words([0, 0, 0, hkdf::KEY_MESSAGE_BITS]);
    let both = |words: &[u32; 8]| [state(words), state(words)];
    let digest_blocks = |states: [State; 2]| states.map(|[a, e]| [a, e, end, digest_end]);

    let key_words = |key: &[u8; 16]| vreinterpretq_u32_u8(vrev32q_u8(load(key)));
    let block = |key: &[u8; 16]| [key_words(key), end, zero, key_end];
    let digest = compress(both(&hkdf::SALT_INNER), [block(&keys[0]), block(&keys[1])]);
    let key = compress(both(&hkdf::SALT_OUTER), digest_blocks(digest));
    let padded = |pad: u32| {
        let pad = words([pad; 4]);
        let block = |[a, e]: State| [veorq_u32(a, pad), veorq_u32(e, pad), pad, pad];
        compress(both(&hkdf::INITIAL), [block(key[0]), block(key[1])])
    };
    let (outer, inner) = (padded(hkdf::OUTER_PAD), padded(hkdf::INNER_PAD));
    let mut info = [zero; 4];
    for (vector, four) in info.iter_mut().zip(hkdf::INFO_BLOCK.as_chunks::<4>().0) {
        *vector = words(*four);
    }
    let digest = compress(inner, [info, info]);
    let output = compress(outer, digest_blocks(digest));
    [
        stored(vrev32q_u8(vreinterpretq_u8_u32(output[0][0]))),
        stored(vrev32q_u8(vreinterpretq_u8_u32(output[1][0]))),
    ]
}

// ---------------------------------------------------------------------------------------- AES

/// The substitution of a word: all columns are equal, so that the shift of rows does nothing.
fn substituted(word: u32) -> u32 {
    let columns = vreinterpretq_u8_u32(words([word; 4]));
    vgetq_lane_u32::<0>(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))))
}

fn expanded(key: &[u8; 16]) -> [Vector; 11] {
    const CONSTANTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 27, 54];
    let mut schedule = [load(key); 11];
    let mut word = [0; 4];
    for (word, bytes) in word.iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    for (round, constant) in schedule[1..].iter_mut().zip(CONSTANTS) {
        let mut last = substituted(word[3].rotate_right(8)) ^ constant;
        for word in &mut word {
            *word ^= last;
            last = *word;
        }
        *round = vreinterpretq_u8_u32(words(word));
    }
    schedule
}

fn schedules(keys: &[[u8; 16]; KEYS]) -> Schedules {
    let mut schedules = [[vdupq_n_u8(0); 11]; KEYS];
    let pairs = schedules.as_chunks_mut::<2>().0.iter_mut().zip(keys.as_chunks::<2>().0);
    for (schedules, keys) in pairs {
        let [first, second] = identifier_keys_of(keys);
        *schedules = [expanded(&first), expanded(&second)];
    }
    Schedules(schedules)
}

fn encrypt<const N: usize>(
    group: usize,
    schedules: &[[Vector; 11]; GROUP],
    starts: [u32; GROUP],
    offsets: &[u32],
    filter: &[u32; N],
    hits: &mut Vec<Hit>,
) {
    // What was encrypted is looked up while the next unit is on its way.
    let mut before: Option<Unit> = None;
    let (mut ready, mut next) = ([0; UNIT], [0; UNIT]);
    for (unit, offsets) in units(group, offsets, 0) {
        for (key, (schedule, start)) in schedules.iter().zip(starts).enumerate() {
            let prefixes = encrypt_eight(schedule, start, offsets);
            for (quad, prefixes) in prefixes.as_chunks::<4>().0.iter().enumerate() {
                let place = quad * (UNIT / 2) + key * 4;
                if let Some(place) = next.get_mut(place..place + 4) {
                    place.copy_from_slice(prefixes);
                }
            }
        }
        if let Some(before) = before {
            look_up(filter, before, &ready, hits);
        }
        core::mem::swap(&mut ready, &mut next);
        before = Some(unit);
    }
    if let Some(before) = before {
        look_up(filter, before, &ready, hits);
    }
}

/// The prefixes of two quads of one key.
fn encrypt_eight(schedule: &[Vector; 11], start: u32, offsets: [u32; 2]) -> [u32; 8] {
    let mut blocks = [load(BLOCK); 8];
    for (blocks, offset) in blocks.as_chunks_mut::<4>().0.iter_mut().zip(offsets) {
        for (block, interval) in blocks.iter_mut().zip(0_u32..) {
            let interval = start.wrapping_add(offset).wrapping_add(interval);
            let block_words = vreinterpretq_u32_u8(*block);
            *block = vreinterpretq_u8_u32(vsetq_lane_u32::<3>(interval, block_words));
        }
    }
    for key in &schedule[..9] {
        for block in &mut blocks {
            *block = vaesmcq_u8(vaeseq_u8(*block, *key));
        }
    }
    let mut prefixes = [0; 8];
    for (prefix, block) in prefixes.iter_mut().zip(blocks) {
        let block = veorq_u8(vaeseq_u8(block, schedule[9]), schedule[10]);
        *prefix = vgetq_lane_u32::<0>(vreinterpretq_u32_u8(block));
    }
    prefixes
}

fn decrypt(
    schedules: &[[Vector; 11]; GROUP],
    epoch: u32,
    identifiers: &[[u8; 16]],
    found: &mut impl FnMut(usize, usize),
) {
    for (key, schedule) in schedules.iter().enumerate() {
        let mut inverse = [schedule[10]; 11];
        for (place, round) in inverse[1..10].iter_mut().zip(schedule[1..10].iter().rev()) {
            *place = vaesimcq_u8(*round);
        }
        inverse[10] = schedule[0];
        for (part, identifiers) in identifiers.chunks(8).enumerate() {
            let mut blocks = [vdupq_n_u8(0); 8];
            for (block, identifier) in blocks.iter_mut().zip(identifiers) {
                *block = load(identifier);
            }
            for round in &inverse[..9] {
                for block in &mut blocks {
                    *block = vaesimcq_u8(vaesdq_u8(*block, *round));
                }
            }
            for (number, block) in blocks.into_iter().enumerate().take(identifiers.len()) {
                let block = stored(veorq_u8(vaesdq_u8(block, inverse[9]), inverse[10]));
                if block[..12] == BLOCK[..12] && block[14..] == epoch.to_le_bytes()[2..] {
                    found(key, part * 8 + number);
                }
            }
        }
    }
}
}
