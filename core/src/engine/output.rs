//! What the engine tells its host to do, and what became of what it was told.

use super::key_file::KeyFileReport;
use super::plan::{AdvertisePlan, ScanPlan};
use super::publishing::{PublishError, QueuedUpload};
use super::scan::ScanReport;
use crate::diagnosis_key::DiagnosisKey;
use crate::diary::{EntryError, Escalation, StartError};
use crate::export::ExportError;
use crate::publish::queue::Outcome;
use crate::publish::{Call, IdempotencyKey};
use crate::risk::Assessment;
use crate::status::assessed::Assessed;
use crate::time::{Timestamp, UtcDay};
use crate::validation::{Refused, Warning};
use crate::venue::{CheckInError, PackageError, PackageReport};

/// What the host has to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Advertise this, and nothing else, from now on.
    Advertise(AdvertisePlan),
    /// Advertise nothing.
    StopAdvertising,
    /// Nothing can be advertised: the clock was set back into the validity of a key that has been
    /// published since, and whose identifiers anybody can make, or into an interval that was used
    /// with a key that is forgotten. Others do not hear this phone.
    AdvertisingSuspended {
        /// Until when.
        until: Timestamp,
    },
    /// Scan now, and report with [`Input::ScanFinished`](super::Input::ScanFinished).
    Scan(ScanPlan),
    /// What became of a scan.
    ScanIngested(ScanReport),
    /// What became of a key file. A refused file changed nothing; the next one is unaffected.
    KeyFileIngested(Result<KeyFileReport, ExportError>),
    /// The day's quota of key files is used up; this one was not looked at. Nothing is lost: hand
    /// it in again.
    KeyFileThrottled {
        /// From when on it will be taken.
        until: Timestamp,
    },
    /// A new configuration is in force, and the days that are remembered were judged by it.
    Configured {
        /// What is worth knowing about it.
        warnings: Vec<Warning>,
    },
    /// A new configuration was refused. The one before it stays in force, and the status says so
    /// until one is accepted.
    ConfigurationRefused(Box<Refused>),
    /// The keys to publish, none of them able to make another identifier.
    Disclosed(Vec<DiagnosisKey>),
    /// The upload, or why nothing is published. It is kept until the server has it.
    UploadQueued(Result<QueuedUpload, PublishError>),
    /// From this time on, with a network, ask for the next call ([`PublishInput::NextCall`](super::PublishInput::NextCall)).
    /// It may be for a decoy; the host cannot tell, and must not.
    UploadsDue {
        /// By the host's wall clock.
        at: Timestamp,
    },
    /// Make this call, and answer [`PublishInput::Answered`](super::PublishInput::Answered).
    UploadCall(Box<Call>),
    /// What an answer led to.
    UploadAnswered {
        /// Which upload.
        upload: IdempotencyKey,
        /// What it led to.
        outcome: Outcome,
    },
    /// No server takes these keys any more; the user has to be told that nobody was warned.
    UploadExpired {
        /// Which upload.
        upload: IdempotencyKey,
    },
    /// A day's conclusion is new or has changed.
    DayAssessed(Assessment),
    /// Tell the user about this day, then answer [`Input::Announced`](super::Input::Announced). The
    /// day names the event: it is the same in [`Output::DayAssessed`], in the list of days and in
    /// every export.
    Announce(Assessment),
    /// A day is over: this is what happened on it. There is one for every day, also for those on
    /// which nothing was found.
    DayRecorded(Assessed),
    /// This phone has taken another one's place.
    Succeeded {
        /// Own keys that this phone can publish from now on.
        own_keys: u64,
        /// Sightings that were not too old.
        sightings: u64,
    },
    /// The visit's number, or why there is none.
    CheckedIn(Result<u64, CheckInError>),
    /// Whether the visit has ended.
    CheckedOut(Result<(), CheckInError>),
    /// What became of a package of venue warnings. A refused one changed nothing.
    VenueWarningsIngested(Result<PackageReport, PackageError>),
    /// Tell the user about a visit on this day, then answer
    /// [`Input::Announced`](super::Input::Announced). It comes until then, also after a restart; not
    /// for a day of which the user was told already.
    AnnounceVenues {
        /// The day.
        day: UtcDay,
    },
    /// Whether a diary has begun.
    DiaryBegun(Result<(), StartError>),
    /// What the rules conclude from the diary with the new entry, or why there is no new entry.
    DiaryUpdated(Result<Escalation, EntryError>),
    /// Nothing of this day is left.
    DayForgotten {
        /// The day.
        day: UtcDay,
    },
    /// Nothing is left. The host deletes what it keeps itself, such as the log's root key.
    EverythingForgotten,
}
