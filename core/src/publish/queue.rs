//! Uploads that wait: for the network, for the server, for a key to end, for a better number.
//!
//! A state that the engine keeps in the encounter log. It survives a restart at any point: the worst
//! that happens is that a request is sent twice under one idempotency key. It holds the keys until
//! the server has taken them, so it is stored where the other secrets are.

use core::fmt;
use std::collections::BTreeSet;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::cocoa;
use super::decoy;
use super::exposure_server::{self, HmacForm, keys_hmac};
use super::idempotency::IdempotencyKey;
use super::number::VerificationCode;
use super::release::Release;
use super::request::{Answer, Call, Endpoint, RetryReason, Step, Verdict};
use crate::diagnosis_key::DiagnosisKey;
use crate::time::{IntervalNumber, Timestamp};

/// Seconds until the first repetition; doubled each time.
const FIRST_BACK_OFF_SECONDS: u32 = 60;
/// The longest time between repetitions.
const LONGEST_BACK_OFF_SECONDS: u32 = 4 * 3_600;

/// Uploads that are not done, decoys among them. `Debug` tells neither apart.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UploadQueue {
    uploads: Vec<Upload>,
    /// What the server wants to see when this phone publishes again.
    revision_token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Upload {
    id: IdempotencyKey,
    decoy: bool,
    code: VerificationCode,
    code_refused: bool,
    release: Release,
    /// Some of the keys have been taken; these are the ones that had not ended then.
    is_remainder: bool,
    failures: u32,
    not_before: Option<Timestamp>,
    hmac_key: [u8; 32],
    certificate: Option<Certificate>,
    /// An attestation serves once, so that one from before a restart is not worth keeping.
    #[serde(skip)]
    attestation: Option<Attestation>,
    /// The call that is out, and when it was made: the keys it is about are those of that time.
    #[serde(skip)]
    asked: Option<(Asked, Timestamp)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Attestation,
    Certificate,
    Publication,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Certificate {
    keys_hmac: String,
    text: String,
}

#[derive(Clone, PartialEq, Eq)]
struct Attestation {
    nonce: [u8; 32],
    text: String,
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.hmac_key.zeroize();
    }
}

/// What an answer led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The next call is ready.
    Proceeds,
    /// The server took the keys, and the warnings for other visitors if there were any.
    Published {
        /// How many keys.
        keys: usize,
        /// How many visits became warnings.
        visits: usize,
        /// Others follow when they have ended.
        more_follow: bool,
    },
    /// The server does not know the number, or it has been used. The keys are kept for
    /// [`UploadQueue::correct_code`].
    CodeRefused,
    /// It is tried again, as often as it takes.
    Waits {
        /// When.
        until: Timestamp,
        /// Why.
        reason: RetryReason,
    },
    /// The first keys were published; the server does not take those that ended later.
    RestRefused,
    /// A decoy is done; there is nothing to tell the user.
    DecoyDone,
    /// The upload is not in the queue, or did not wait for this.
    Ignored,
}

/// An upload as the user sees it; there is none for a decoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadStatus {
    /// Its name.
    pub id: IdempotencyKey,
    /// How many keys are not published yet.
    pub keys: usize,
    /// How many visits are not published yet.
    pub visits: usize,
    /// How often it failed.
    pub failures: u32,
    /// When it is tried again; `None` if it can be tried now.
    pub not_before: Option<Timestamp>,
    /// It waits for [`UploadQueue::correct_code`].
    pub code_refused: bool,
}

impl UploadQueue {
    /// Nothing to upload.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what the user agreed to publish, entitled by `code`. It can be sent at once.
    pub fn add(
        &mut self,
        release: Release,
        code: VerificationCode,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> IdempotencyKey {
        self.insert(release, code, false, rng)
    }

    /// Adds a decoy, unless one is waiting: a phone without a network collects none.
    pub fn add_decoy(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) {
        if self.uploads.iter().any(|upload| upload.decoy) {
            return;
        }
        if let Some(release) = decoy::release(now, rng) {
            self.insert(release, VerificationCode::of_a_decoy(), true, rng);
        }
    }

    fn insert(
        &mut self,
        release: Release,
        code: VerificationCode,
        decoy: bool,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> IdempotencyKey {
        let id = IdempotencyKey::random(rng);
        let mut hmac_key = [0; 32];
        rng.fill_bytes(&mut hmac_key);
        self.uploads.push(Upload {
            id,
            decoy,
            code,
            code_refused: false,
            release,
            is_remainder: false,
            failures: 0,
            not_before: None,
            hmac_key,
            certificate: None,
            attestation: None,
            asked: None,
        });
        id
    }

    /// What to do now; `None` if nothing can be done before [`UploadQueue::next_wake`]. Until it is
    /// answered, the same upload is named again, its padding made anew.
    #[must_use]
    pub fn next(
        &mut self,
        endpoint: &Endpoint,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Call> {
        let due = |upload: &&mut Upload| upload.ready_at(now).is_some_and(|at| at <= now);
        let upload = self.uploads.iter_mut().filter(due).min_by_key(|upload| upload.not_before)?;
        let step = upload.step(endpoint, self.revision_token.as_deref(), now, rng);
        let asked = match &step {
            Step::Attest { .. } => Asked::Attestation,
            Step::Certify { .. } => Asked::Certificate,
            Step::Send(_) => Asked::Publication,
        };
        upload.asked = Some((asked, now));
        Some(Call { upload: upload.id, step })
    }

    /// When there will be something to do; `None` if nothing waits for a time.
    #[must_use]
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.uploads.iter().filter_map(|upload| upload.ready_at(now)).min()
    }

    /// Takes in what came of the call that [`UploadQueue::next`] made last for this upload.
    pub fn answer(
        &mut self,
        id: IdempotencyKey,
        answer: Answer,
        endpoint: &Endpoint,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Outcome {
        let Some(index) = self.uploads.iter().position(|upload| upload.id == id) else {
            return Outcome::Ignored;
        };
        let upload = &mut self.uploads[index];
        let Some((asked, asked_at)) = upload.asked else { return Outcome::Ignored };
        let keys = upload.release.sendable(asked_at);
        let verdict = match (asked, answer, endpoint) {
            (Asked::Attestation, Answer::Attested(text), Endpoint::Cocoa(cocoa)) => {
                let nonce = cocoa.nonce(&upload.for_cocoa(&keys));
                upload.attestation = Some(Attestation { nonce, text });
                return Outcome::Proceeds;
            }
            (Asked::Certificate, Answer::Certified(text), Endpoint::ExposureServer(_)) => {
                let text = if upload.decoy { pretended_certificate(rng) } else { text };
                let keys_hmac = keys_hmac(&keys, &upload.hmac_key, HmacForm::WithRisk);
                upload.certificate = Some(Certificate { keys_hmac, text });
                return Outcome::Proceeds;
            }
            (Asked::Certificate, Answer::CodeRefused, _) => Verdict::CodeRefused,
            (Asked::Publication, Answer::Response { status, body }, _) => match endpoint {
                Endpoint::Cocoa(_) => cocoa::verdict(status),
                Endpoint::ExposureServer(_) => exposure_server::verdict(status, &body),
            },
            (_, Answer::Nothing, _) => Verdict::Later(RetryReason::NoAnswer),
            _ => return Outcome::Ignored,
        };
        upload.asked = None;
        // Whatever came of it, this attestation has been used.
        upload.attestation = None;
        match verdict {
            Verdict::Later(reason) => upload.wait(reason, now, rng),
            Verdict::CertificateRefused => {
                upload.certificate = None;
                upload.wait(RetryReason::NotUnderstood { status: 401 }, now, rng)
            }
            Verdict::Accepted { .. } | Verdict::CodeRefused if upload.decoy => {
                self.uploads.remove(index);
                Outcome::DecoyDone
            }
            Verdict::CodeRefused if upload.is_remainder => {
                self.uploads.remove(index);
                Outcome::RestRefused
            }
            Verdict::CodeRefused => {
                upload.code_refused = true;
                Outcome::CodeRefused
            }
            Verdict::Accepted { revision_token } => {
                let visits = upload.release.visits().len();
                upload.published(&keys);
                let more_follow = !upload.release.is_too_old(now);
                if !more_follow {
                    self.uploads.remove(index);
                }
                self.revision_token = revision_token.or_else(|| self.revision_token.take());
                Outcome::Published { keys: keys.len(), visits, more_follow }
            }
        }
    }

    /// Sends the keys of a refused upload under another number, at once. The user need not agree
    /// again: the keys are the same.
    pub fn correct_code(&mut self, id: IdempotencyKey, code: VerificationCode) {
        if let Some(upload) = self.uploads.iter_mut().find(|upload| upload.id == id) {
            upload.code = code;
            upload.code_refused = false;
            upload.certificate = None;
            upload.attestation = None;
            upload.asked = None;
            upload.failures = 0;
            upload.not_before = None;
        }
    }

    /// The user does not want it any more. What the server has is not taken back. Returns the visits
    /// that are not published now.
    pub fn cancel(&mut self, id: IdempotencyKey) -> BTreeSet<u64> {
        let index = self.uploads.iter().position(|upload| upload.id == id);
        index.map(|index| self.uploads.remove(index).release.visits()).unwrap_or_default()
    }

    /// Drops uploads of which no server takes anything any more, and names those the user has to be
    /// told of. `now` is the best known time: by a clock that is far ahead, everything is too old.
    pub fn forget_too_old(&mut self, now: Timestamp) -> Vec<IdempotencyKey> {
        let (old, rest) = core::mem::take(&mut self.uploads)
            .into_iter()
            .partition::<Vec<_>, _>(|upload| upload.release.is_too_old(now));
        self.uploads = rest;
        old.iter().filter(|upload| !upload.decoy).map(|upload| upload.id).collect()
    }

    /// Keeps only the keys and warnings whose first interval, and the one behind their last, `keep`
    /// says of, and the uploads that have some left.
    pub(crate) fn retain(&mut self, keep: impl Fn(IntervalNumber, IntervalNumber) -> bool) {
        self.uploads.retain_mut(|upload| {
            let kept = upload.release.retain(&keep);
            // A certificate is over the keys that there were.
            if kept.keys_gone {
                upload.certificate = None;
                upload.attestation = None;
                upload.asked = None;
            }
            kept.something_left
        });
    }

    /// What the user is waiting for.
    pub fn uploads(&self) -> impl Iterator<Item = UploadStatus> {
        self.uploads.iter().filter(|upload| !upload.decoy).map(|upload| UploadStatus {
            id: upload.id,
            keys: upload.release.keys().len(),
            visits: upload.release.visits().len(),
            failures: upload.failures,
            not_before: upload.not_before,
            code_refused: upload.code_refused,
        })
    }
}

impl fmt::Debug for UploadQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadQueue({})", self.uploads.len())
    }
}

impl Upload {
    /// From when on something can be done for it; `None` if only the user can do something.
    fn ready_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.code_refused || self.release.is_too_old(now) {
            return None;
        }
        // A wait that is longer than any was set by a clock that was ahead.
        let longest = now.saturating_add(LONGEST_BACK_OFF_SECONDS);
        let not_before = self.not_before.filter(|at| *at <= longest);
        let has_ended =
            if self.release.is_sendable(now) { None } else { self.release.next_due(now) };
        Some(not_before.max(has_ended).unwrap_or(now))
    }

    fn step(
        &self,
        endpoint: &Endpoint,
        revision_token: Option<&str>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Step {
        let keys = self.release.sendable(now);
        let warnings = self.release.warnings_content(now);
        match endpoint {
            Endpoint::Cocoa(cocoa) => {
                let submission = self.for_cocoa(&keys);
                let nonce = cocoa.nonce(&submission);
                match self.attestation.as_ref().filter(|made| made.nonce == nonce) {
                    None => Step::Attest { nonce },
                    Some(made) => Step::Send(cocoa.request(&submission, warnings, &made.text, rng)),
                }
            }
            Endpoint::ExposureServer(server) => {
                let keys_hmac = keys_hmac(&keys, &self.hmac_key, HmacForm::WithRisk);
                match self.certificate.as_ref().filter(|made| made.keys_hmac == keys_hmac) {
                    None => Step::Certify { code: self.code.clone(), keys_hmac, decoy: self.decoy },
                    Some(made) => Step::Send(server.request(
                        &exposure_server::Submission {
                            keys: &keys,
                            basis: self.release.basis(),
                            certificate: &made.text,
                            hmac_key: &self.hmac_key,
                            revision_token,
                            decoy: self.decoy,
                        },
                        warnings,
                        rng,
                    )),
                }
            }
        }
    }

    fn for_cocoa<'a>(&'a self, keys: &'a [DiagnosisKey]) -> cocoa::Submission<'a> {
        cocoa::Submission {
            keys,
            basis: self.release.basis(),
            code: &self.code,
            idempotency_key: self.id,
            decoy: self.decoy,
        }
    }

    /// Doubles the wait and takes a random part of its second half, so that phones which a busy
    /// server turned away do not come back together.
    fn wait(
        &mut self,
        reason: RetryReason,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Outcome {
        let doubled = FIRST_BACK_OFF_SECONDS.saturating_mul(1 << self.failures.min(16));
        let longest = doubled.min(LONGEST_BACK_OFF_SECONDS);
        self.failures = self.failures.saturating_add(1);
        let until = now.saturating_add(longest / 2 + rng.next_u32() % (longest / 2 + 1));
        self.not_before = Some(until);
        Outcome::Waits { until, reason }
    }

    fn published(&mut self, keys: &[DiagnosisKey]) {
        self.release.remove(keys);
        self.is_remainder = true;
        self.failures = 0;
        self.not_before = None;
        self.certificate = None;
    }
}

/// As long as a certificate is: a signed token of a few hundred bytes.
fn pretended_certificate(rng: &mut (impl CryptoRng + ?Sized)) -> String {
    let mut bytes = [0; 384];
    rng.fill_bytes(&mut bytes);
    let letter = |byte: &u8| char::from(b'a' + byte % 26);
    let text: String = bytes.iter().map(letter).collect();
    format!("{text}.{}", &text[..86])
}
