//! A brake on guessing numbers that never locks anybody out.
//!
//! COCOA closed the page after three errors, counted a mistyped number and even a success as one,
//! and the attempt was lost. Here only a number that the server refused counts, the wait grows by
//! five seconds each time (COCOA's step) up to a minute, and it ends by itself.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Timestamp;

/// Too soon after the last refused number. Nothing is lost: the same number may be sent later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the next number may be sent in {seconds} s")]
pub struct Wait {
    /// Seconds from now.
    pub seconds: u32,
}

/// How many numbers the server has refused lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLimiter {
    refused: u32,
    last_refused: Option<Timestamp>,
}

impl AttemptLimiter {
    /// Seconds that each refused number adds to the wait (COCOA).
    pub const STEP_SECONDS: u32 = 5;
    /// The longest wait.
    pub const LONGEST_SECONDS: u32 = 60;
    /// After so long without a refusal, nothing is held against anybody.
    pub const FORGOTTEN_AFTER_SECONDS: u32 = 900;

    /// Whether a number may be sent now.
    ///
    /// # Errors
    /// [`Wait`], for never longer than [`AttemptLimiter::LONGEST_SECONDS`], wherever the clock is
    /// set.
    pub fn check(&self, now: Timestamp) -> Result<(), Wait> {
        let Some(last) = self.last_refused else { return Ok(()) };
        let wait = self.refused.saturating_mul(Self::STEP_SECONDS).min(Self::LONGEST_SECONDS);
        // A clock that was set back has passed nothing yet, and not less than nothing.
        let passed = u32::try_from(now.seconds_since(last).max(0)).unwrap_or(u32::MAX);
        match wait.saturating_sub(passed) {
            0 => Ok(()),
            seconds => Err(Wait { seconds }),
        }
    }

    /// The server refused a number. A mistyped number, a lost connection and a busy server are no
    /// reason to call this.
    pub fn number_refused(&mut self, now: Timestamp) {
        let is_old =
            |last: Timestamp| now.seconds_since(last) >= i64::from(Self::FORGOTTEN_AFTER_SECONDS);
        if self.last_refused.is_some_and(is_old) {
            self.refused = 0;
        }
        self.refused = self.refused.saturating_add(1);
        self.last_refused = Some(now);
    }

    /// The server accepted a number.
    pub fn number_accepted(&mut self) {
        *self = Self::default();
    }
}
