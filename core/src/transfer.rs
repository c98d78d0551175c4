//! Moving to a new phone: a sealed container that only the other phone's owner can open.
//!
//! The old phone makes a [`TransferSecret`] and shows it, as a QR code or as words; the container
//! may travel by any way. The secret is random, not chosen by a person, so that no password has to
//! be stretched.
//!
//! | bytes | meaning |
//! |---|---|
//! | 8 | `CHIKAKU` and a zero |
//! | 2 | version of the container, big-endian; 1 |
//! | 16 | salt |
//! | 16 | check: tells a wrong secret from a damaged container |
//! | 7 | nonce prefix |
//! | rest | chunks of 65 536 bytes, the last one 0..=65 536, each followed by a tag of 16 |
//!
//! ```text
//! key   = HKDF-SHA256(secret, salt, "chikaku transfer 1 key", 32)
//! check = HKDF-SHA256(secret, salt, "chikaku transfer 1 check", 16)
//! chunk = ChaCha20-Poly1305(key, nonce = prefix ‖ big-endian u32 number ‖ last?, header)
//! ```
//!
//! That is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár 2015): a container that was changed, cut,
//! reordered or lengthened does not open, and the 49 bytes before the chunks are bound to each.

mod snapshot;

use core::fmt;

use aead_stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::aead::Payload;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use snapshot::{LogSnapshot, LogSnapshotError};

const MAGIC: [u8; 8] = *b"CHIKAKU\0";
const VERSION: u16 = 1;
const SALT_LENGTH: usize = 16;
const CHECK_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 7;
const HEADER_LENGTH: usize = MAGIC.len() + 2 + SALT_LENGTH + CHECK_LENGTH + NONCE_LENGTH;
const CHUNK_LENGTH: usize = 65_536;
const TAG_LENGTH: usize = 16;

/// A secret that is too short to be random enough, or too long to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a transfer secret has 16 to 64 bytes, not {0}")]
pub struct TransferSecretError(pub usize);

/// What the two phones share. Random bytes, shown to the user and to nobody else; zeroized on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct TransferSecret(Vec<u8>);

impl TransferSecret {
    /// Bytes of a generated secret: 128 bits, twelve words of a list of 2048.
    pub const GENERATED_LENGTH: usize = 16;

    /// A new secret, for one transfer.
    #[must_use]
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = vec![0; Self::GENERATED_LENGTH];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The secret that the other phone shows. It must have come from a random number generator: a
    /// password that a person thought of does not protect the container.
    ///
    /// # Errors
    /// [`TransferSecretError`] for fewer than 16 or more than 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TransferSecretError> {
        if (16..=64).contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(TransferSecretError(bytes.len()))
        }
    }

    /// The bytes, to be shown on the screen of the old phone.
    #[must_use]
    pub fn secret_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TransferSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferSecret(..)")
    }
}

/// A container that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It does not begin as a container does.
    #[error("not a transfer container")]
    NotAContainer,
    /// A version of the container that this library does not read.
    #[error("transfer container of version {0}, not {VERSION}")]
    Version(u16),
    /// It ends before its first chunk does.
    #[error("the transfer container ends after {0} bytes")]
    TooShort(usize),
    /// It was sealed with another secret, or its salt or check was changed.
    #[error("the transfer container was sealed with another secret")]
    WrongSecret,
    /// It was changed, cut, reordered or lengthened.
    #[error("the transfer container is damaged or incomplete at chunk {chunk}")]
    Damaged {
        /// The first chunk that does not open, from 0.
        chunk: usize,
    },
}

/// Seals `plaintext` for the phone that knows `secret`. The result is 49 bytes longer, and 16 more
/// for each chunk that was begun.
#[must_use]
pub fn seal(
    plaintext: &[u8],
    secret: &TransferSecret,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Vec<u8> {
    let (mut salt, mut nonce) = ([0; SALT_LENGTH], [0; NONCE_LENGTH]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let (key, check) = derive(secret, &salt);
    let header = Header { salt, check, nonce }.to_bytes();

    let chunks = plaintext.len() / CHUNK_LENGTH + 1;
    let mut container = Vec::with_capacity(HEADER_LENGTH + plaintext.len() + chunks * TAG_LENGTH);
    container.extend_from_slice(&header);
    let mut stream = EncryptorBE32::from_aead(ChaCha20Poly1305::new(&key), &nonce.into());
    let mut rest = plaintext;
    while let Some((chunk, after)) = rest.split_at_checked(CHUNK_LENGTH)
        && !after.is_empty()
    {
        let sealed = stream.encrypt_next(Payload { msg: chunk, aad: &header });
        container.extend(sealed.expect("no memory holds 2^32 chunks"));
        rest = after;
    }
    let sealed = stream.encrypt_last(Payload { msg: rest, aad: &header });
    container.extend(sealed.expect("a chunk is short enough for the cipher"));
    container
}

/// Opens what [`seal`] has sealed with the same secret. Nothing is returned unless all of it is
/// genuine and there.
///
/// # Errors
/// [`OpenError`].
pub fn open(container: &[u8], secret: &TransferSecret) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (header, mut rest) = Header::read(container)?;
    let (key, check) = derive(secret, &header.salt);
    if check != header.check {
        return Err(OpenError::WrongSecret);
    }
    let associated = header.to_bytes();
    let mut stream = DecryptorBE32::from_aead(ChaCha20Poly1305::new(&key), &header.nonce.into());
    // Never more than there is ciphertext, so that no copy is left behind by growing.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(rest.len()));
    let mut number = 0;
    while let Some((chunk, after)) = rest.split_at_checked(CHUNK_LENGTH + TAG_LENGTH)
        && !after.is_empty()
    {
        let opened = stream.decrypt_next(Payload { msg: chunk, aad: &associated });
        let opened = opened.map_err(|_| OpenError::Damaged { chunk: number })?;
        plaintext.extend_from_slice(&Zeroizing::new(opened));
        number += 1;
        rest = after;
    }
    let opened = stream.decrypt_last(Payload { msg: rest, aad: &associated });
    let opened = opened.map_err(|_| OpenError::Damaged { chunk: number })?;
    plaintext.extend_from_slice(&Zeroizing::new(opened));
    Ok(plaintext)
}

struct Header {
    salt: [u8; SALT_LENGTH],
    check: [u8; CHECK_LENGTH],
    nonce: [u8; NONCE_LENGTH],
}

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let version = VERSION.to_be_bytes();
        [&MAGIC[..], &version, &self.salt, &self.check, &self.nonce].concat()
    }

    /// The header of `container`, and the chunks behind it.
    fn read(container: &[u8]) -> Result<(Self, &[u8]), OpenError> {
        let rest = container.strip_prefix(&MAGIC).ok_or(OpenError::NotAContainer)?;
        let too_short = OpenError::TooShort(container.len());
        let (version, rest) = rest.split_first_chunk().ok_or(too_short)?;
        match u16::from_be_bytes(*version) {
            VERSION => {}
            other => return Err(OpenError::Version(other)),
        }
        let (salt, rest) = rest.split_first_chunk().ok_or(too_short)?;
        let (check, rest) = rest.split_first_chunk().ok_or(too_short)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(too_short)?;
        if rest.len() < TAG_LENGTH {
            return Err(too_short);
        }
        Ok((Self { salt: *salt, check: *check, nonce: *nonce }, rest))
    }
}

type Derived = (Zeroizing<chacha20poly1305::Key>, [u8; CHECK_LENGTH]);

fn derive(secret: &TransferSecret, salt: &[u8; SALT_LENGTH]) -> Derived {
    let derivation = Hkdf::<Sha256>::new(Some(salt), &secret.0);
    let mut key = Zeroizing::new(chacha20poly1305::Key::default());
    let mut check = [0; CHECK_LENGTH];
    for (info, output) in [
        (&b"chikaku transfer 1 key"[..], key.as_mut_slice()),
        (&b"chikaku transfer 1 check"[..], &mut check[..]),
    ] {
        derivation.expand(info, output).expect("fewer bytes than HKDF's limit of 255 hashes");
    }
    (key, check)
}
