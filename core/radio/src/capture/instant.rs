//! A moment of a capture, to the microsecond.

use chikaku_core::time::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// UTC to the microsecond, as far as [`Timestamp`] reaches.
///
/// Scans need it because they end within milliseconds of an advertisement; the encounter log
/// keeps whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureInstant {
    second: Timestamp,
    micros_of_second: u32,
}

impl CaptureInstant {
    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z; `None` if the protocol
    /// cannot express its second.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        let second = Timestamp::from_unix_seconds(micros.div_euclid(MICROS_PER_SECOND)).ok()?;
        let micros_of_second = u32::try_from(micros.rem_euclid(MICROS_PER_SECOND)).ok()?;
        Some(Self { second, micros_of_second })
    }

    /// The first microsecond of a second.
    #[must_use]
    pub const fn from_timestamp(second: Timestamp) -> Self {
        Self { second, micros_of_second: 0 }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_micros(self) -> i64 {
        let whole = self.second.unix_seconds().saturating_mul(MICROS_PER_SECOND);
        whole.saturating_add(i64::from(self.micros_of_second))
    }

    /// The second it lies in, rounded down as the service does.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.second
    }

    /// Microseconds from `earlier` to `self`; negative if `earlier` is in fact later.
    #[must_use]
    pub fn micros_since(self, earlier: Self) -> i64 {
        self.unix_micros().saturating_sub(earlier.unix_micros())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_integer_panics(micros: i64) {
            if let Some(instant) = CaptureInstant::from_unix_micros(micros) {
                prop_assert_eq!(instant.unix_micros(), micros);
                prop_assert_eq!(instant.timestamp().unix_seconds(), micros / MICROS_PER_SECOND);
                let second = CaptureInstant::from_timestamp(instant.timestamp());
                prop_assert!((0..MICROS_PER_SECOND).contains(&instant.micros_since(second)));
            } else {
                let last = Timestamp::MAX.unix_seconds() * MICROS_PER_SECOND + 999_999;
                prop_assert!(micros < 0 || micros > last);
            }
        }
    }
}
