//! Telling others: from a number in a message to keys at the server.
//!
//! The core builds and reads bytes, the app sends them. Nothing here reads a clock or a time
//! zone: a date comes with its offset from UTC.
//!
//! ```text
//!  number ──► AttemptLimiter          ReleaseRequest(Consent, Basis) ──► Release
//!     └──────────────┬────────────────────────────────────────────────────┘
//!                    ▼
//!               UploadQueue ──► Call (attest, certify, send) ──► app ──► Answer ──┐
//!                    ▲   ▲                                                        │
//!  DecoySchedule ────┘   └────────────────────────────────────────────────────────┘
//! ```
//!
//! Rules, each held by a test in `core/tests/publish*.rs`:
//!
//! 1. nothing is released without a [`Consent`], and one consent releases once; visits to venues
//!    are not released without one that includes them;
//! 2. a key that still makes identifiers is not sent: it waits until it has ended;
//! 3. nothing but success, the user's wish and the keys' age takes an attempt out of the queue;
//! 4. a decoy goes the same way as an upload: the same calls, in the same order, of the same size.
//!
//! Where things happen: [`number`] and [`deep_link`] read what the user was sent, [`release`]
//! chooses keys, [`visits`] adds
//! the warnings for other visitors of the same venues, [`cocoa`] and [`exposure_server`] write the two servers' formats, `envelope` makes
//! their sizes equal, [`queue`] keeps attempts, [`decoy`] schedules pretended ones. The engine keeps
//! all of it in the encounter log ([`PublishInput`](crate::engine::PublishInput)).

pub mod attempts;
pub mod cocoa;
pub mod decoy;
pub mod deep_link;
mod envelope;
pub mod exposure_server;
pub mod idempotency;
pub mod local_date;
pub mod number;
pub mod publishing;
pub mod queue;
pub mod release;
pub mod request;
pub mod visits;

pub use attempts::AttemptLimiter;
pub use decoy::DecoySchedule;
pub use deep_link::DeepLinkFormat;
pub use idempotency::IdempotencyKey;
pub use local_date::LocalDate;
pub use number::{ProcessingNumber, VerificationCode};
pub use publishing::Publishing;
pub use queue::UploadQueue;
pub use release::{Basis, Consent, DateFilter, Release, ReleaseRequest};
pub use request::{Answer, Call, Endpoint, Request, Step};
