//! What the app is asked to do for an upload, and what it answers.

use core::fmt;

use super::cocoa::CocoaEndpoint;
use super::exposure_server::ExposureServerEndpoint;
use super::idempotency::IdempotencyKey;
use super::number::VerificationCode;

/// The server that uploads go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// COCOA's diagnosis interface.
    Cocoa(CocoaEndpoint),
    /// Google's exposure-notifications-server, publish v1.
    ExposureServer(ExposureServerEndpoint),
}

impl Endpoint {
    /// Whether the server takes warnings for the visitors of the same venues.
    #[must_use]
    pub const fn takes_visits(&self) -> bool {
        match self {
            Self::Cocoa(cocoa) => cocoa.takes_visits,
            Self::ExposureServer(server) => server.takes_visits,
        }
    }
}

/// One thing to do for one upload. Doing it again after a crash does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which upload; the answer names it.
    pub upload: IdempotencyKey,
    /// What to do.
    pub step: Step,
}

/// What to do. `Debug` shows no code and no body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Have the operating system attest that this is the genuine app on a genuine phone
    /// (SafetyNet, Play Integrity, DeviceCheck), and answer [`Answer::Attested`]. An attestation
    /// serves once.
    Attest {
        /// What the attestation is bound to: SHA-256 of the request's clear text.
        nonce: [u8; 32],
    },
    /// Have the verification server exchange the code for a certificate over these keys, and answer
    /// [`Answer::Certified`].
    Certify {
        /// What the user entered.
        code: VerificationCode,
        /// HMAC-SHA-256 over the keys, in base64.
        keys_hmac: String,
        /// This is a decoy: the app makes the same calls with the header `X-Chaff`, and answers
        /// with whatever comes.
        decoy: bool,
    },
    /// Send this to the key server, and answer [`Answer::Response`].
    Send(Request),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attest { .. } => f.write_str("Attest(..)"),
            Self::Certify { .. } => f.write_str("Certify(..)"),
            Self::Send(request) => write!(f, "Send({request:?})"),
        }
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `PUT`.
    Put,
    /// `POST`.
    Post,
}

/// A request to the key server. The app adds the server's address and its own access key. `Debug`
/// shows of the body only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path behind the server's address, from its slash on.
    pub path: &'static str,
    /// Headers to add.
    pub headers: [(&'static str, &'static str); 2],
    /// The body: JSON.
    pub body: Vec<u8>,
}

impl Request {
    pub(super) const fn json(
        method: Method,
        path: &'static str,
        decoy: bool,
        body: Vec<u8>,
    ) -> Self {
        // The servers drop what says `X-Chaff` and do not look at `X-Plain`, which is there to be
        // as long.
        let chaff = if decoy { "X-Chaff" } else { "X-Plain" };
        Self { method, path, headers: [("Content-Type", "application/json"), (chaff, "1")], body }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

/// What came of a call. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The attestation.
    Attested(String),
    /// The certificate.
    Certified(String),
    /// The verification server does not know the code, or it has been used.
    CodeRefused,
    /// The server answered with this status and body.
    Response {
        /// HTTP status.
        status: u16,
        /// The body, which may be empty.
        body: Vec<u8>,
    },
    /// No answer: no network, a timeout, no attestation to be had.
    Nothing,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attested(_) => f.write_str("Attested(..)"),
            Self::Certified(_) => f.write_str("Certified(..)"),
            Self::CodeRefused => f.write_str("CodeRefused"),
            Self::Response { status, body } => {
                write!(f, "Response({status}, {} bytes)", body.len())
            }
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// What a response means for the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted { revision_token: Option<String> },
    CodeRefused,
    CertificateRefused,
    Later(RetryReason),
}

/// Why an upload has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// No answer from the server or from the operating system.
    NoAnswer,
    /// The server has no time (429, 5xx).
    ServerBusy,
    /// The server does not let this network in (403): COCOA's answered so abroad.
    NotFromHere,
    /// The server did not understand the request (other 4xx). Another version of either may.
    NotUnderstood {
        /// HTTP status.
        status: u16,
    },
}

pub(super) const fn retry_reason(status: u16) -> RetryReason {
    match status {
        429 | 500..=599 => RetryReason::ServerBusy,
        403 => RetryReason::NotFromHere,
        _ => RetryReason::NotUnderstood { status },
    }
}
