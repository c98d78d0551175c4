//! Every kernel of this machine against the plain derivation.

use super::*;
use crate::keys::RollingProximityIdentifierKey;
use crate::time::IntervalNumber;

/// Passes every prefix.
const EVERYTHING: [u32; 1 << 6] = [u32::MAX; 1 << 6];

/// All hits, as (key, quad, interval of the quad, prefix).
fn sorted(hits: &[Hit]) -> Vec<(usize, usize, u32, u32)> {
    let place = |hit: &Hit| (hit.group * GROUP + hit.key, hit.quad, hit.interval, hit.prefix);
    let mut hits: Vec<_> = hits.iter().map(place).collect();
    hits.sort_unstable();
    hits
}

fn keys(seed: u8) -> [[u8; 16]; KEYS] {
    core::array::from_fn(|key| {
        core::array::from_fn(|byte| {
            let mixed = (key * 16 + byte).wrapping_mul(167) + usize::from(seed) * 59;
            u8::try_from(mixed * mixed / 7 % 256).unwrap()
        })
    })
}

fn identifier(key: &[u8; 16], interval: u32) -> [u8; 16] {
    let key = RollingProximityIdentifierKey::derive(key);
    *key.identifier(IntervalNumber::new(interval)).as_bytes()
}

fn prefix(key: &[u8; 16], interval: u32) -> u32 {
    u32::from_le_bytes(*identifier(key, interval).first_chunk().unwrap())
}

fn encrypts_as_the_plain_derivation<K: Kernel>(kernel: K) {
    for seed in 0..4 {
        let keys = keys(seed);
        let schedules = kernel.schedules(&keys);
        for count in [0_u32, 1, 2, 5, 36, 37, 41, 64] {
            // Across a multiple of 256 intervals.
            let quads: Vec<_> = (0..count).map(|quad| 0x0028_54e8 + quad * 4).collect();
            let starts = [0x0028_54fd, 0, u32::MAX - 3, 2_642_976];
            let offsets: Vec<_> = (0..count).map(|quad| quad * 4).collect();
            for groups in 1..=KEYS / GROUP {
                let expected = |quads: &[u32], start: &dyn Fn(usize) -> u32| {
                    let mut expected = Vec::new();
                    for (number, key) in keys.iter().enumerate().take(groups * GROUP) {
                        for (place, quad) in quads.iter().enumerate() {
                            for i in 0..4 {
                                let interval = start(number).wrapping_add(*quad).wrapping_add(i);
                                expected.push((number, place, i, prefix(key, interval)));
                            }
                        }
                    }
                    expected
                };
                let mut hits = Vec::new();
                kernel.encrypt_aligned(&schedules, groups, &quads, &EVERYTHING, &mut hits);
                assert_eq!(sorted(&hits), expected(&quads, &|_| 0), "{groups} × {count} quads");
                hits.clear();
                let all = vec![starts; groups];
                kernel.encrypt_mixed(&schedules, &all, &offsets, &EVERYTHING, &mut hits);
                let start = |key: usize| starts[key % GROUP];
                assert_eq!(sorted(&hits), expected(&offsets, &start), "{groups} × {count} offsets");
            }
        }
    }
}

fn finds_its_own_identifiers<K: Kernel>(kernel: K) {
    let keys = keys(9);
    let schedules = kernel.schedules(&keys);
    let epoch = 0x0028_0000;
    // Identifier n is made by key n mod 16 in an interval of the epoch; the last two are strangers.
    let mut identifiers: Vec<_> = (0..3 * KEYS)
        .map(|n| identifier(&keys[n % KEYS], epoch + u32::try_from(n * 1361).unwrap()))
        .collect();
    identifiers.extend([[7; 16], identifier(&keys[0], epoch - 1)]);
    for count in [0, 1, 7, 8, 9, identifiers.len()] {
        let identifiers = &identifiers[..count];
        let mut found = Vec::new();
        for group in 0..KEYS / GROUP {
            kernel.decrypt(&schedules, group, epoch, identifiers, |key, identifier| {
                found.push((identifier, group * GROUP + key));
            });
        }
        found.sort_unstable();
        let expected: Vec<_> = (0..count.min(3 * KEYS)).map(|n| (n, n % KEYS)).collect();
        // A kernel may propose more than there is; with these keys it happens not to.
        assert_eq!(found, expected, "{count} identifiers");
    }
}

fn holds<K: Kernel>(kernel: K) {
    encrypts_as_the_plain_derivation(kernel);
    finds_its_own_identifiers(kernel);
}

#[test]
fn portable() {
    holds(Portable);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn aes_ni() {
    let Some(kernel) = AesNi::detect() else { return };
    holds(kernel);
    holds(kernel.without_sha());
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vaes() {
    let Some(kernel) = Vaes::detect() else { return };
    holds(kernel);
}

#[cfg(target_arch = "aarch64")]
#[test]
fn armv8() {
    let Some(kernel) = Armv8::detect() else { return };
    holds(kernel);
}

/// The very code, on a model of its instructions.
#[cfg(not(target_arch = "aarch64"))]
#[test]
fn armv8_modelled() {
    holds(Armv8::modelled());
}

#[test]
fn the_six_compressions_are_hkdf() {
    for key in keys(1) {
        let derived = portable::identifier_key(&key);
        let block = aes::cipher::Array::from(*BLOCK);
        let cipher: aes::Aes128 = aes::cipher::KeyInit::new(&derived.into());
        let mut encrypted = block;
        aes::cipher::BlockCipherEncrypt::encrypt_block(&cipher, &mut encrypted);
        assert_eq!(<[u8; 16]>::from(encrypted), identifier(&key, 0));
    }
}
