//! What is the same for every key in `RPIK = HKDF-SHA256(TEK, no salt, "EN-RPIK", 16)`.
//!
//! HKDF is two HMACs, and an HMAC is four compressions. The salt is missing, so the first two
//! compressions of the first HMAC are constants: six remain for each key. The last message is the
//! info string alone, so its schedule is a constant too. Source: RFC 5869, FIPS 180-4.

/// Initial state of SHA-256.
pub(super) const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Round constants of SHA-256.
#[rustfmt::skip]
pub(super) const ROUND: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// HMAC's inner and outer padding, as words.
pub(super) const INNER_PAD: u32 = 0x3636_3636;
pub(super) const OUTER_PAD: u32 = 0x5c5c_5c5c;

/// The one bit behind a message whose length is a multiple of four bytes.
pub(super) const MESSAGE_END: u32 = 0x8000_0000;
/// Length in bits of a padded block and a 16-byte key behind it.
pub(super) const KEY_MESSAGE_BITS: u32 = (64 + 16) * 8;
/// Length in bits of a padded block and a 32-byte digest behind it.
pub(super) const DIGEST_MESSAGE_BITS: u32 = (64 + 32) * 8;

/// HMAC states of the missing salt, which counts as zeros.
pub(super) const SALT_INNER: [u32; 8] = compress(INITIAL, [INNER_PAD; 16]);
pub(super) const SALT_OUTER: [u32; 8] = compress(INITIAL, [OUTER_PAD; 16]);

/// The block of `"EN-RPIK" ‖ 1`.
pub(super) const INFO_BLOCK: [u32; 16] = {
    let mut block = [0; 16];
    block[0] = u32::from_be_bytes(*b"EN-R");
    block[1] = u32::from_be_bytes(*b"PIK\x01");
    block[2] = MESSAGE_END;
    block[15] = (64 + 8) * 8;
    block
};

/// The schedule of [`INFO_BLOCK`] with the round constants added, for kernels without an
/// instruction that adds them.
#[cfg(target_arch = "x86_64")]
pub(super) const INFO_ROUND: [u32; 64] = {
    let mut schedule = schedule(INFO_BLOCK);
    let mut t = 0;
    while t < 64 {
        schedule[t] = schedule[t].wrapping_add(ROUND[t]);
        t += 1;
    }
    schedule
};

const fn schedule(block: [u32; 16]) -> [u32; 64] {
    let mut w = [0; 64];
    let mut t = 0;
    while t < 64 {
        w[t] = if t < 16 {
            block[t]
        } else {
            let (a, b) = (w[t - 15], w[t - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1)
        };
        t += 1;
    }
    w
}

const fn compress(state: [u32; 8], block: [u32; 16]) -> [u32; 8] {
    let w = schedule(block);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    let mut t = 0;
    while t < 64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(ROUND[t]).wrapping_add(w[t]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d.wrapping_add(t1);
        d = c;
        c = b;
        b = a;
        a = t1.wrapping_add(s0).wrapping_add(majority);
        t += 1;
    }
    let rounds = [a, b, c, d, e, f, g, h];
    let mut sum = [0; 8];
    let mut word = 0;
    while word < 8 {
        sum[word] = state[word].wrapping_add(rounds[word]);
        word += 1;
    }
    sum
}
