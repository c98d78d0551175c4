//! Visits to venues by QR code, kept and matched on the phone.
//!
//! Kanagawa's system kept 517,000 visits on a server, waited for an official to decide about each
//! case, and told nobody in ten months. Here a visit stays on the phone ([`VenueDiary`]); whoever
//! tests positive publishes [warnings](warning) for where they were; every other phone
//! [matches](VenueDiary::ingest) all warnings against its own visits. Nobody stands between.
//!
//! | file | what it answers |
//! |---|---|
//! | [`code`] | what does the poster at the door say, and who signed it? |
//! | [`stay`] | for which ten-minute intervals does a stay warn others? |
//! | [`warning`] | how is a warning sealed so that only visitors of the place can read it? |
//! | [`package`] | how do warnings arrive, signed, as a stream? |
//! | `submission` | which visits of a positive person become warnings? |
//! | `diary` | which visits are kept, which of them matched, and why? |
//!
//! The scheme is Corona-Warn-App's (`docs/event_registration.md`, presence tracing of
//! cwa-app-android): SHA-256, HMAC-SHA256 and AES-256-CBC under keys that follow from the code.
//! Two things are done otherwise: codes of authentication are compared in constant time, and no
//! error shows one.
//!
//! What it does not do: whoever photographs a poster can tell whether that place is warned about,
//! and could make warnings for it. Therefore packages count only with the signature of a server
//! that hears of a positive test before it publishes.

pub mod code;
mod diary;
pub mod package;
pub mod stay;
mod submission;
pub mod warning;

pub use code::{VenueCode, VenueCodeError, VenueType};
pub use diary::{
    CheckIn, CheckInError, MOST_CHECK_INS_A_DAY, PackageReport, VenueDiary, VenueExplanation,
    VenueMatch, VenueRules,
};
pub use package::{PackageError, PackageLimits, WarningPackage, WarningPackageWriter};
pub use submission::{SubmittedWarning, TransmissionRiskLevel, VisitReport};
pub use warning::{ProtectedWarning, VenueId, Warning};
