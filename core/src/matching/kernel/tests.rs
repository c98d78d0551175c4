//! Every kernel of this machine against the plain derivation.

use super::*;
use crate::keys::RollingProximityIdentifierKey;
use crate::time::IntervalNumber;

/// Collects prefixes by key, then by place.
struct Collect<'a> {
    quads: usize,
    prefixes: &'a mut [Vec<u32>; GROUP],
}

impl Probe for Collect<'_> {
    fn probe(&mut self, unit: usize, prefixes: &[u32; UNIT]) {
        for (half, quad) in prefixes.as_chunks::<16>().0.iter().enumerate() {
            if unit * 2 + half < self.quads {
                for (key, prefixes) in self.prefixes.iter_mut().zip(quad.as_chunks::<4>().0) {
                    key.extend(prefixes);
                }
            }
        }
    }
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
        for (group, keys) in keys.as_chunks::<GROUP>().0.iter().enumerate() {
            for count in [0_u32, 1, 2, 5, 36, 37, 41, 64] {
                let quads: Vec<_> = (0..count).map(|quad| 0x0028_5400 + quad * 4).collect();
                let mut prefixes = [const { Vec::new() }; GROUP];
                let mut collect = Collect { quads: quads.len(), prefixes: &mut prefixes };
                kernel.encrypt_aligned(&schedules, group, &quads, &mut collect);
                for (key, found) in keys.iter().zip(&prefixes) {
                    let expected: Vec<_> =
                        quads.iter().flat_map(|q| (0..4).map(move |i| prefix(key, q + i))).collect();
                    assert_eq!(found, &expected, "group {group}, {count} quads");
                }
                let starts = [0x0028_54fd, 0, u32::MAX - 3, 2_642_976];
                let offsets: Vec<_> = (0..count).map(|quad| quad * 4).collect();
                let mut prefixes = [const { Vec::new() }; GROUP];
                let mut collect = Collect { quads: offsets.len(), prefixes: &mut prefixes };
                kernel.encrypt_mixed(&schedules, group, starts, &offsets, &mut collect);
                for ((key, start), found) in keys.iter().zip(starts).zip(&prefixes) {
                    let interval = |o: u32, i: u32| start.wrapping_add(o).wrapping_add(i);
                    let expected: Vec<_> = offsets
                        .iter()
                        .flat_map(|o| (0..4).map(move |i| prefix(key, interval(*o, i))))
                        .collect();
                    assert_eq!(found, &expected, "group {group}, {count} offsets");
                }
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
