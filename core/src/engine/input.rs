//! What a host tells the engine.

use core::fmt;

use super::publishing::PublishInput;
use crate::diagnosis_key::ReportType;
use crate::diary::{Entry, Start};
use crate::encounter_log::LogContents;
use crate::local_time::LocalDate;
use crate::sighting::ScanResult;
use crate::time::{Timestamp, UtcDay};
use crate::venue::VenueCode;

/// What the host tells the engine. `Debug` shows of a key file only its length.
#[non_exhaustive]
pub enum Input<'a> {
    /// The user switched tracing on, or the process came back with tracing on.
    Start,
    /// The user switched tracing off.
    Stop,
    /// The time that [`Engine::next_wake`](super::Engine::next_wake) named has come; harmless at any other time.
    Wake,
    /// The payload and the new address of this plan are on the air.
    AdvertisingStarted {
        /// [`AdvertisePlan::number`](super::plan::AdvertisePlan::number).
        plan: u64,
    },
    /// The radio refused this plan. It is planned anew after a minute.
    AdvertisingFailed {
        /// [`AdvertisePlan::number`](super::plan::AdvertisePlan::number).
        plan: u64,
    },
    /// A scan is over; this is everything it heard.
    ScanFinished(ScanResult),
    /// A source the host trusts says that it is this time at the reading that comes with it: a
    /// server's time over an authenticated connection. Corrects what was recorded since boot, and
    /// brings back what was heard while the clock was suspect.
    TrustedTime(Timestamp),
    /// A run of key files begins: so many were listed, so many of them could not be fetched. The
    /// others follow as [`Input::KeyFile`].
    FilesListed {
        /// How many the sources list that were not matched before.
        listed: u32,
        /// Of these, how many could not be fetched.
        missing: u32,
    },
    /// A new configuration was downloaded.
    Configure(NewConfiguration<'a>),
    /// A downloaded key file.
    KeyFile(KeyFile<'a>),
    /// The user tested positive and consented to publishing the keys, and the app sends them by
    /// itself.
    Disclose(Disclosure),
    /// Publishing keys, and visits to venues, with a queue that survives restarts, and decoys.
    Publish(Box<PublishInput>),
    /// The user has been told of this High day.
    Announced {
        /// The day.
        day: UtcDay,
    },
    /// This phone takes another one's place, whose log this is. The host does so before
    /// [`Input::Start`].
    Succeed(Box<LogContents>),
    /// The user scanned the code of a venue and wants to check in.
    CheckIn(Box<VenueCode>),
    /// The user left a venue.
    CheckOut {
        /// [`CheckIn::number`](crate::venue::CheckIn::number).
        number: u64,
    },
    /// A downloaded package of venue warnings.
    VenueWarnings(&'a [u8]),
    /// The user recuperates, and begins a diary. It replaces one that was begun before.
    BeginDiary(Box<Start>),
    /// The user made an entry in the diary.
    DiaryEntry(Box<Entry>),
    /// A user without symptoms when the diary began has had some since this date.
    SymptomsBegan(LocalDate),
    /// The user wants this UTC day forgotten. Nothing of it is kept or announced again.
    ForgetDay(UtcDay),
    /// The user wants everything forgotten. The engine is as new, and stopped.
    ForgetEverything,
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Stop => f.write_str("Stop"),
            Self::Wake => f.write_str("Wake"),
            Self::AdvertisingStarted { plan } => write!(f, "AdvertisingStarted({plan})"),
            Self::AdvertisingFailed { plan } => write!(f, "AdvertisingFailed({plan})"),
            Self::ScanFinished(scan) => f.debug_tuple("ScanFinished").field(scan).finish(),
            Self::KeyFile(file) => write!(f, "KeyFile({} bytes)", file.bytes.len()),
            Self::Disclose(disclosure) => f.debug_tuple("Disclose").field(disclosure).finish(),
            Self::Publish(input) => f.debug_tuple("Publish").field(input).finish(),
            Self::Configure(new) => f.debug_tuple("Configure").field(new).finish(),
            Self::TrustedTime(instant) => f.debug_tuple("TrustedTime").field(instant).finish(),
            Self::FilesListed { listed, missing } => {
                write!(f, "FilesListed({listed}, {missing} missing)")
            }
            Self::Announced { day } => write!(f, "Announced({day})"),
            Self::Succeed(contents) => f.debug_tuple("Succeed").field(&contents.counts()).finish(),
            Self::CheckIn(_) => f.write_str("CheckIn(..)"),
            Self::CheckOut { number } => write!(f, "CheckOut({number})"),
            Self::VenueWarnings(package) => write!(f, "VenueWarnings({} bytes)", package.len()),
            Self::BeginDiary(_) => f.write_str("BeginDiary(..)"),
            Self::DiaryEntry(_) => f.write_str("DiaryEntry(..)"),
            Self::SymptomsBegan(_) => f.write_str("SymptomsBegan(..)"),
            Self::ForgetDay(day) => write!(f, "ForgetDay({day})"),
            Self::ForgetEverything => f.write_str("ForgetEverything"),
        }
    }
}

/// A downloaded key file, and what is committed together with its results.
#[derive(Clone, Copy)]
pub struct KeyFile<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The file's source and its position there. The source's cursor moves with the results, in
    /// one commit: a file that was downloaded but not matched is never behind the cursor.
    pub cursor: Option<(&'a str, u64)>,
}

impl<'a> KeyFile<'a> {
    /// A file whose place the host keeps in mind itself.
    #[must_use]
    pub const fn without_cursor(bytes: &'a [u8]) -> Self {
        Self { bytes, cursor: None }
    }
}

impl fmt::Debug for KeyFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({} bytes)", self.bytes.len())
    }
}

/// A configuration to come into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewConfiguration<'a> {
    /// A risk profile, or one of COCOA's documents that describes one ([`crate::validation::document`]).
    pub json: &'a str,
    /// The app team's name for it, for the daily records.
    pub version: Option<&'a str>,
}

/// What is said about the keys when they are disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Ground of publication.
    pub report_type: ReportType,
    /// UTC day of symptom onset; `None` if there were none or it is not known.
    pub onset: Option<UtcDay>,
}
