//! From the user's consent to keys, and warnings for other visitors, at the server, across restarts.
//!
//! Disclosing the keys, submitting the visits and queueing both is one commit: no crash lies between
//! a key that is closed, or a visit that is marked, and an upload that is kept.

use core::fmt;

use rand_core::CryptoRng;
use thiserror::Error;

use super::venue::keep_if;
use super::{Engine, EngineConfiguration, Output, State, Turn};
use crate::clock::ClockReading;
use crate::encounter_log::{Change, EncounterLog};
use crate::publish::attempts::Wait;
use crate::publish::queue::{Outcome, UploadStatus};
use crate::publish::release::ReleaseError;
use crate::publish::{Answer, Endpoint, IdempotencyKey, ReleaseRequest, VerificationCode};
use crate::time::DAY_SECONDS;
use crate::venue::{VenueDiary, VisitReport};

/// What the host says about publishing keys. `Debug` shows no code.
#[non_exhaustive]
pub enum PublishInput {
    /// The user consented to publishing the keys, and maybe the visits, and entered a number.
    Publish {
        /// Which keys, and whether visits.
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
    /// The user does not want an upload any more. What the server has is not taken back; visits
    /// that it does not have match again, and can be published again.
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

/// An upload that waits for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedUpload {
    /// Its name.
    pub upload: IdempotencyKey,
    /// What became of the visits; nothing of them if they were not to be published.
    pub visits: VisitReport,
}

/// Why nothing was queued. No key has been disclosed, and no visit marked, either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// [`EngineConfiguration::upload_endpoint`](super::EngineConfiguration::upload_endpoint) is empty.
    #[error("no server is configured that takes keys")]
    NoServer,
    /// Visits were to be published, and the server takes none. Keys alone can be published.
    #[error("the server takes no visits")]
    NoServerForVisits,
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

    pub(super) fn publish(
        &self,
        input: PublishInput,
        state: &mut State,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), L::Error> {
        let endpoint = self.configuration.upload_endpoint.as_ref();
        let before = self.venues_of(turn)?;
        let mut venues = before.clone();
        state.publish(input, &mut venues, endpoint, turn, rng);
        keep_if(venues != before, venues, turn);
        Ok(())
    }
}

impl State {
    fn publish(
        &mut self,
        input: PublishInput,
        venues: &mut VenueDiary,
        endpoint: Option<&Endpoint>,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let now = turn.now;
        let uploads = &mut self.publishing.uploads;
        match input {
            PublishInput::Publish { request, code } => {
                let queued = self.queue_upload(request, code, venues, endpoint, turn, rng);
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
            PublishInput::Cancel { upload } => venues.withdraw(&uploads.cancel(upload)),
        }
        self.say_when_uploads_are_due(turn);
    }

    /// Closes the keys, marks the visits and queues both, or does nothing of it.
    fn queue_upload(
        &mut self,
        request: ReleaseRequest,
        code: VerificationCode,
        venues: &mut VenueDiary,
        endpoint: Option<&Endpoint>,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<QueuedUpload, PublishError> {
        let endpoint = endpoint.ok_or(PublishError::NoServer)?;
        if request.visits.is_some() && !endpoint.takes_visits() {
            return Err(PublishError::NoServerForVisits);
        }
        self.publishing.attempts.check(turn.now)?;
        let mut disclosed = self.clone();
        let (keys, changes) = disclosed.close_keys(request.disclosure(), turn.now, rng);
        let (release, visits) = request.release_with_visits(&keys, venues, turn.now, rng)?;
        *self = disclosed;
        turn.changes.extend(changes);
        Ok(QueuedUpload { upload: self.publishing.uploads.add(release, code, rng), visits })
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
