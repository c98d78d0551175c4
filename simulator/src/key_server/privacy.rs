//! What an export may tell (exposure-notifications-server, `internal/export`).

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::time::Timestamp;
use rand_core::CryptoRng;

const HOUR_SECONDS: i64 = 3_600;

/// Rules of publication. Keys are sorted by their bytes in every export, so that their order does
/// not tell which belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivacyRules {
    /// An export holds at least so many keys; random ones fill it up.
    pub minimum_batch: u32,
    /// And up to so many more, so that the number tells nothing.
    pub extra_keys: u32,
    /// Nothing is published that was received, or was valid, in the last so many seconds: who
    /// replays its identifiers then is beyond the tolerance of matching.
    pub embargo_seconds: u32,
}

impl Default for PrivacyRules {
    fn default() -> Self {
        Self { minimum_batch: 1_000, extra_keys: 100, embargo_seconds: 2 * 3_600 }
    }
}

impl PrivacyRules {
    /// The hour that `instant` lies in. Nothing finer is kept or published of the time of an
    /// upload.
    pub(super) fn hour_of(instant: Timestamp) -> Timestamp {
        let into = u32::try_from(instant.unix_seconds() % HOUR_SECONDS).unwrap_or(0);
        instant.saturating_sub(into)
    }

    /// Up to when keys may be published at `now`.
    pub(super) fn window_end(self, now: Timestamp) -> Timestamp {
        Self::hour_of(now.saturating_sub(self.embargo_seconds))
    }

    /// The time that a key counts as received: not before it has ended.
    pub(super) fn counts_from(self, key: &DiagnosisKey, received: Timestamp) -> Timestamp {
        received.max(key.rolling_end().start())
    }

    /// Random keys with the days, periods and details of real ones.
    pub(super) fn pad(
        self,
        keys: &[DiagnosisKey],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<DiagnosisKey> {
        let real = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let extra = rng.next_u32() % self.extra_keys.saturating_add(1).max(1);
        let missing = self.minimum_batch.saturating_sub(real).saturating_add(extra);
        let mut padding = Vec::new();
        while !keys.is_empty() && padding.len() < missing as usize {
            let like = keys[rng.next_u32() as usize % keys.len()];
            let mut bytes = [0; 16];
            rng.fill_bytes(&mut bytes);
            let (start, period) = (like.rolling_start(), like.rolling_period());
            padding.push(DiagnosisKey::new(bytes, start, period, like.details));
        }
        padding
    }
}
