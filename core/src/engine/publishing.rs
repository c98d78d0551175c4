//! From the user's consent to keys at the server, across restarts.
//!
//! Disclosing the keys and queueing them is one commit: no crash lies between a key that is closed
//! and an upload that is kept.

use core::fmt;

use rand_core::CryptoRng;
use thiserror::Error;

use super::{Engine, EngineConfiguration, Output, State, Turn};
use crate::clock::ClockReading;
use crate::encounter_log::{Change, EncounterLog};
use crate::publish::attempts::Wait;
use crate::publish::queue::{Outcome, UploadStatus};
use crate::publish::release::ReleaseError;
use crate::publish::{Answer, Endpoint, IdempotencyKey, ReleaseRequest, VerificationCode};
use crate::time::DAY_SECONDS;

/// What the host says about publishing keys. `Debug` shows no code.
#[non_exhaustive]
pub enum PublishInput {
    /// The user consented to publishing the keys, and entered a number.
    Publish {
        /// Which keys.
        request: ReleaseRequest,
        /// What entitles the user.
        code: VerificationCode,
    },
    /// There is a network: which call is to be made?
    NextCall,
    /// This came of the call that was made for an upload.
    Answered {
        /// [`Call::upload`](crate::publish::Call::upload).
        upload: IdempotencyKey,
        /// What came.
        answer: Answer,
    },
    /// The user corrected a number that the server refused.
    CorrectCode {
        /// Which upload.
        upload: IdempotencyKey,
        /// The better number.
        code: VerificationCode,
    },
    /// The user does not want an upload any more. What the server has is not taken back.
    Cancel {
        /// Which upload.
        upload: IdempotencyKey,
    },
}

impl fmt::Debug for PublishInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish { .. } => "Publish(..)",
            Self::NextCall => "NextCall",
            Self::Answered { .. } => "Answered(..)",
            Self::CorrectCode { .. } => "CorrectCode(..)",
            Self::Cancel { .. } => "Cancel(..)",
        })
    }
}

/// Why nothing was queued. No key has been disclosed either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// [`EngineConfiguration::upload_endpoint`](super::EngineConfiguration::upload_endpoint) is empty.
    #[error("no server is configured that takes keys")]
    NoServer,
    /// Numbers were refused just before.
    #[error(transparent)]
    Wait(#[from] Wait),
    /// Nothing would be published.
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

impl<L: EncounterLog> Engine<L> {
    /// The uploads that the user waits for; decoys are not among them. Times are those of the
    /// host's wall clock.
    #[must_use]
    pub fn uploads(&self) -> Vec<UploadStatus> {
        let wall = |at| self.state.record.clock.wall_at(at);
        let uploads = self.state.publishing.uploads.uploads();
        uploads
            .map(|upload| UploadStatus { not_before: upload.not_before.map(wall), ..upload })
            .collect()
    }

    /// Whether a number may be sent now.
    ///
    /// # Errors
    /// [`Wait`], for a minute at most: nobody is locked out.
    pub fn may_send_number(&self, clocks: ClockReading) -> Result<(), Wait> {
        let now = self.clock_at(clocks).now().unwrap_or(clocks.wall);
        self.state.publishing.attempts.check(now)
    }
}

impl State {
    pub(super) fn publish(
        &mut self,
        input: PublishInput,
        endpoint: Option<&Endpoint>,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let now = turn.now;
        let uploads = &mut self.publishing.uploads;
        match input {
            PublishInput::Publish { request, code } => {
                let queued = self.queue_upload(request, code, endpoint, turn, rng);
                turn.outputs.push(Output::UploadQueued(queued));
            }
            PublishInput::NextCall => {
                let call = endpoint.and_then(|to| self.publishing.uploads.next(to, now, rng));
                if let Some(call) = call {
                    turn.outputs.push(Output::UploadCall(Box::new(call)));
                    return;
                }
            }
            PublishInput::Answered { upload, answer } => {
                let Some(endpoint) = endpoint else { return };
                let outcome = uploads.answer(upload, answer, endpoint, now, rng);
                match outcome {
                    Outcome::CodeRefused => self.publishing.attempts.number_refused(now),
                    Outcome::Published { .. } => self.publishing.attempts.number_accepted(),
                    _ => {}
                }
                let outcome = self.by_the_wall_clock(outcome);
                turn.outputs.push(Output::UploadAnswered { upload, outcome });
            }
            PublishInput::CorrectCode { upload, code } => uploads.correct_code(upload, code),
            PublishInput::Cancel { upload } => uploads.cancel(upload),
        }
        self.say_when_uploads_are_due(turn);
    }

    /// Closes the keys and queues them, or does neither.
    fn queue_upload(
        &mut self,
        request: ReleaseRequest,
        code: VerificationCode,
        endpoint: Option<&Endpoint>,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<IdempotencyKey, PublishError> {
        if endpoint.is_none() {
            return Err(PublishError::NoServer);
        }
        self.publishing.attempts.check(turn.now)?;
        let mut disclosed = self.clone();
        let (keys, changes) = disclosed.close_keys(request.disclosure(), turn.now, rng);
        let release = request.release(&keys, turn.now, rng)?;
        *self = disclosed;
        turn.changes.extend(changes);
        Ok(self.publishing.uploads.add(release, code, rng))
    }

    /// What time does to uploads. Decoys are made while tracing is on.
    pub(super) fn keep_uploads(
        &mut self,
        configuration: &EngineConfiguration,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        // By a clock that is far ahead everything is too old; what is forgotten anyway is so.
        let since = turn.horizon.before;
        let surely = since.saturating_add(configuration.retention_days.saturating_mul(DAY_SECONDS));
        for upload in self.publishing.uploads.forget_too_old(surely) {
            turn.outputs.push(Output::UploadExpired { upload });
        }
        self.publishing.forget_before(since);
        let endpoint = configuration.upload_endpoint.as_ref();
        let is_due = endpoint.is_some()
            && self.record.switched_on
            && self.publishing.decoys.is_due(turn.now, rng);
        if is_due {
            self.publishing.uploads.add_decoy(turn.now, rng);
            self.say_when_uploads_are_due(turn);
        }
    }

    pub(super) fn say_when_uploads_are_due(&self, turn: &mut Turn) {
        let due = self.publishing.uploads.next_wake(turn.now);
        let due = due.map(|at| self.record.clock.wall_at(at));
        turn.outputs.extend(due.map(|at| Output::UploadsDue { at }));
    }

    fn by_the_wall_clock(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Waits { until, reason } => {
                Outcome::Waits { until: self.record.clock.wall_at(until), reason }
            }
            other => other,
        }
    }
}

/// Keeps what has changed.
pub(super) fn keep_changed(before: &State, after: &State, turn: &mut Turn) {
    if before.publishing != after.publishing {
        turn.changes.push(Change::Publishing(Box::new(after.publishing.clone())));
    }
}
