//! What is carried: the contents of a log, in a format of their own.

use core::fmt;

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::ZeroizeOnDrop;

use super::{OpenError, TransferSecret, open, seal};

/// The contents of a log as the log wrote them. They are opaque here; the number says which format
/// they are in. Zeroized on drop, and `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct LogSnapshot {
    #[zeroize(skip)]
    format: u16,
    payload: Vec<u8>,
}

/// A transfer that does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogSnapshotError {
    /// The container does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was sealed is too short to say its format.
    #[error("what was sealed is no log: it has {0} bytes")]
    NotASnapshot(usize),
}

impl LogSnapshot {
    /// A snapshot in `format`.
    #[must_use]
    pub const fn new(format: u16, payload: Vec<u8>) -> Self {
        Self { format, payload }
    }

    /// The number of the payload's format.
    #[must_use]
    pub const fn format(&self) -> u16 {
        self.format
    }

    /// The contents, for the log that wrote them.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Seals the snapshot for another phone: two bytes of format, big-endian, then the payload.
    #[must_use]
    pub fn seal(&self, secret: &TransferSecret, rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let written = [&self.format.to_be_bytes()[..], &self.payload].concat();
        seal(&zeroize::Zeroizing::new(written), secret, rng)
    }

    /// Opens what [`LogSnapshot::seal`] sealed with the same secret.
    ///
    /// # Errors
    /// [`LogSnapshotError`]; whether the payload's format is known is for the log to say.
    pub fn open(container: &[u8], secret: &TransferSecret) -> Result<Self, LogSnapshotError> {
        let written = open(container, secret)?;
        let (format, payload) =
            written.split_first_chunk().ok_or(LogSnapshotError::NotASnapshot(written.len()))?;
        Ok(Self::new(u16::from_be_bytes(*format), payload.to_vec()))
    }
}

impl fmt::Debug for LogSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSnapshot")
            .field("format", &self.format)
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
