//! x86-64 with AES-NI: eight blocks of one key are on their way at once, so that none waits for
//! itself. With SHA-NI, keys are derived in pairs for the same reason; without, one by one.

#![allow(unsafe_code, reason = "vector loads and stores, and the calls behind feature detection")]

use core::arch::x86_64::*;

use super::super::filter::{Hit, Unit, look_up};
use super::{GROUP, KEYS, Kernel, UNIT, hkdf, portable, units};

type Vector = __m128i;

/// Proof that this machine has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AesNi {
    sha: bool,
}

impl AesNi {
    pub(crate) fn detect() -> Option<Self> {
        let found = std::is_x86_feature_detected!("aes")
            && std::is_x86_feature_detected!("ssse3")
            && std::is_x86_feature_detected!("sse4.1");
        found.then_some(Self { sha: std::is_x86_feature_detected!("sha") })
    }

    #[cfg(feature = "measure")]
    pub(super) const fn has_sha(self) -> bool {
        self.sha
    }

    /// The same, as on a machine without SHA-NI.
    #[cfg(test)]
    pub(crate) const fn without_sha(self) -> Self {
        Self { sha: false }
    }
}

/// Eleven round keys of each identifier key.
#[derive(Debug)]
pub(crate) struct Schedules([[Vector; 11]; KEYS]);

impl Kernel for AesNi {
    type Schedules = Schedules;

    // Neither direction shares rounds between blocks; decryption needs no look-up.
    const DECRYPT_PERCENT: usize = 85;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Schedules {
        let mut identifier_keys = [[0; 16]; KEYS];
        let pairs = identifier_keys.as_chunks_mut().0.iter_mut().zip(keys.as_chunks().0);
        for (derived, pair) in pairs {
            *derived = if self.sha {
                // SAFETY: `self` exists only where `detect` found SSSE3 and SSE4.1, and `sha` is
                // set only where it found SHA.
                unsafe { identifier_keys_of(pair) }
            } else {
                pair.each_ref().map(portable::identifier_key)
            };
        }
        // SAFETY: `self` exists only where `detect` found AES-NI.
        unsafe { schedules(&identifier_keys) }
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

#[inline]
#[target_feature(enable = "sse2")]
fn words(words: [u32; 4]) -> Vector {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_setr_epi32(a, b, c, d)
}

#[inline]
#[target_feature(enable = "sse2")]
fn load(block: &[u8; 16]) -> Vector {
    // SAFETY: the reference is to 16 readable bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn store(block: &mut [u8; 16], vector: Vector) {
    // SAFETY: the reference is to 16 writable bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), vector) }
}

// ------------------------------------------------------------------------------------ SHA-256

macro_rules! sha {
    ($($item:item)*) => {$(
        #[inline]
        #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
        $item
    )*};
}

/// State as the instructions want it: words A B E F and C D G H, highest first.
type State = [Vector; 2];

sha! {
fn arranged(state: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *state;
    [words([f, e, b, a]), words([h, g, d, c])]
}

/// A state as the first eight words of a message.
fn as_message(state: State) -> [Vector; 2] {
    // [f e b a] and [h g d c] become [a b c d] and [e f g h].
    let feba = _mm_shuffle_epi32::<0x1b>(state[0]);
    let hgdc = _mm_shuffle_epi32::<0x1b>(state[1]);
    [_mm_unpacklo_epi64(feba, hgdc), _mm_unpackhi_epi64(feba, hgdc)]
}

/// Two compressions of different keys, instruction by instruction side by side.
fn compress(before: [State; 2], mut message: [[Vector; 4]; 2]) -> [State; 2] {
    let mut state = before;
    for (step, round) in hkdf::ROUND.as_chunks::<4>().0.iter().enumerate() {
        let constants = words(*round);
        for (state, message) in state.iter_mut().zip(&mut message) {
            let sum = _mm_add_epi32(message[0], constants);
            let [abef, cdgh] = *state;
            let next = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            let high = _mm_shuffle_epi32::<0x0e>(sum);
            *state = [_mm_sha256rnds2_epu32(abef, next, high), next];
            if step < 12 {
                let next = _mm_sha256msg1_epu32(message[0], message[1]);
                let next = _mm_add_epi32(next, _mm_alignr_epi8::<4>(message[3], message[2]));
                let next = _mm_sha256msg2_epu32(next, message[3]);
                *message = [message[1], message[2], message[3], next];
            } else {
                *message = [message[1], message[2], message[3], message[0]];
            }
        }
    }
    for (state, before) in state.iter_mut().zip(before) {
        *state = [_mm_add_epi32(state[0], before[0]), _mm_add_epi32(state[1], before[1])];
    }
    state
}

/// RPIK of two keys.
fn identifier_keys_of(keys: &[[u8; 16]; 2]) -> [[u8; 16]; 2] {
    let big_endian = words([0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f]);
    let zero = words([0; 4]);
    let end = words([hkdf::MESSAGE_END, 0, 0, 0]);
    let digest_end = words([0, 0, 0, hkdf::DIGEST_MESSAGE_BITS]);
    let both = |state: &[u32; 8]| [arranged(state), arranged(state)];
    let digest_blocks = |states: [State; 2]| {
        let [a, b] = [as_message(states[0]), as_message(states[1])];
        [[a[0], a[1], end, digest_end], [b[0], b[1], end, digest_end]]
    };

    let key_end = words([0, 0, 0, hkdf::KEY_MESSAGE_BITS]);
    let block = |key: &[u8; 16]| [_mm_shuffle_epi8(load(key), big_endian), end, zero, key_end];
    let digest = compress(both(&hkdf::SALT_INNER), [block(&keys[0]), block(&keys[1])]);
    let pseudorandom_key = compress(both(&hkdf::SALT_OUTER), digest_blocks(digest));
    let key = [as_message(pseudorandom_key[0]), as_message(pseudorandom_key[1])];
    let padded = |pad: u32| {
        let pad = words([pad; 4]);
        let block =
            |key: [Vector; 2]| [_mm_xor_si128(key[0], pad), _mm_xor_si128(key[1], pad), pad, pad];
        compress(both(&hkdf::INITIAL), [block(key[0]), block(key[1])])
    };
    let (outer, inner) = (padded(hkdf::OUTER_PAD), padded(hkdf::INNER_PAD));
    let [a, b, c, d] = const {
        let (w, mut vectors) = (hkdf::INFO_BLOCK, [[0; 4]; 4]);
        let mut word = 0;
        while word < 16 {
            vectors[word / 4][word % 4] = w[word];
            word += 1;
        }
        vectors
    };
    let info = [words(a), words(b), words(c), words(d)];
    let digest = compress(inner, [info, info]);
    let output = compress(outer, digest_blocks(digest));
    let mut derived = [[0; 16]; 2];
    for (derived, output) in derived.iter_mut().zip(output) {
        store(derived, _mm_shuffle_epi8(as_message(output)[0], big_endian));
    }
    derived
}
}

// ---------------------------------------------------------------------------------------- AES

macro_rules! aes {
    ($($item:item)*) => {$(
        #[inline]
        #[target_feature(enable = "aes,sse2,ssse3,sse4.1")]
        $item
    )*};
}

aes! {
/// Key expansion of AES-128. All columns of the shuffled word are equal, so that the shift of
/// rows in `aesenclast` does nothing, and what is left of it is the substitution.
fn schedules(keys: &[[u8; 16]; KEYS]) -> Schedules {
    const CONSTANTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 27, 54];
    let rotated_last_word = words([0x0c0f_0e0d; 4]);
    let mut schedules = [[words([0; 4]); 11]; KEYS];
    let groups = schedules.as_chunks_mut::<GROUP>().0.iter_mut().zip(keys.as_chunks::<GROUP>().0);
    for (schedules, keys) in groups {
        let mut keys = [load(&keys[0]), load(&keys[1]), load(&keys[2]), load(&keys[3])];
        for (schedule, key) in schedules.iter_mut().zip(&keys) {
            schedule[0] = *key;
        }
        for (number, constant) in CONSTANTS.into_iter().enumerate() {
            let constant = words([constant; 4]);
            for (schedule, key) in schedules.iter_mut().zip(&mut keys) {
                let word = _mm_shuffle_epi8(*key, rotated_last_word);
                let word = _mm_aesenclast_si128(word, constant);
                let sums = _mm_xor_si128(*key, _mm_slli_si128::<4>(*key));
                let sums = _mm_xor_si128(sums, _mm_slli_si128::<8>(sums));
                *key = _mm_xor_si128(sums, word);
                schedule[number + 1] = *key;
            }
        }
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
            let [first, second] = encrypt_eight(schedule, start, offsets);
            store_words(&mut next, key * 4, first);
            store_words(&mut next, UNIT / 2 + key * 4, second);
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
fn encrypt_eight(schedule: &[Vector; 11], start: u32, offsets: [u32; 2]) -> [Vector; 2] {
    let fixed = words([
        u32::from_le_bytes(*b"EN-R"),
        u32::from_le_bytes(*b"PI\0\0"),
        0,
        0,
    ]);
    let fixed = _mm_xor_si128(fixed, schedule[0]);
    let mut blocks = [fixed; 8];
    for (blocks, offset) in blocks.as_chunks_mut::<4>().0.iter_mut().zip(offsets) {
        for (block, interval) in blocks.iter_mut().zip(0_u32..) {
            let interval = start.wrapping_add(offset).wrapping_add(interval);
            *block = _mm_xor_si128(*block, words([0, 0, 0, interval]));
        }
    }
    for key in &schedule[1..10] {
        for block in &mut blocks {
            *block = _mm_aesenc_si128(*block, *key);
        }
    }
    for block in &mut blocks {
        *block = _mm_aesenclast_si128(*block, schedule[10]);
    }
    let [a, b, c, d, e, f, g, h] = blocks;
    let packed = |a, b, c, d| {
        _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d))
    };
    [packed(a, b, c, d), packed(e, f, g, h)]
}

fn store_words(unit: &mut [u32; UNIT], place: usize, prefixes: Vector) {
    let Some(place) = unit.get_mut(place..).and_then(<[u32]>::first_chunk_mut::<4>) else {
        return;
    };
    // SAFETY: the reference is to 16 writable bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(place.as_mut_ptr().cast(), prefixes) }
}

fn decrypt(
    schedules: &[[Vector; 11]; GROUP],
    epoch: u32,
    identifiers: &[[u8; 16]],
    found: &mut impl FnMut(usize, usize),
) {
    let zero = words([0; 4]);
    let expected = words([
        u32::from_le_bytes(*b"EN-R"),
        u32::from_le_bytes(*b"PI\0\0"),
        0,
        epoch,
    ]);
    let known = words([u32::MAX, u32::MAX, u32::MAX, 0xffff_0000]);
    for (key, schedule) in schedules.iter().enumerate() {
        let mut inverse = [schedule[10]; 11];
        for (place, round) in inverse[1..10].iter_mut().zip(schedule[1..10].iter().rev()) {
            *place = _mm_aesimc_si128(*round);
        }
        inverse[10] = schedule[0];
        for (part, identifiers) in identifiers.chunks(8).enumerate() {
            let mut blocks = [zero; 8];
            for (block, identifier) in blocks.iter_mut().zip(identifiers) {
                *block = _mm_xor_si128(load(identifier), inverse[0]);
            }
            for round in &inverse[1..10] {
                for block in &mut blocks {
                    *block = _mm_aesdec_si128(*block, *round);
                }
            }
            for (number, block) in blocks.iter().enumerate().take(identifiers.len()) {
                let block = _mm_aesdeclast_si128(*block, inverse[10]);
                let difference = _mm_and_si128(_mm_xor_si128(block, expected), known);
                if _mm_testz_si128(difference, difference) == 1 {
                    found(key, part * 8 + number);
                }
            }
        }
    }
}
}
