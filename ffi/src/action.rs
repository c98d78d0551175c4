//! What the host has to do, and what it may like to know.

use chikaku_core::engine::{EngineConfiguration, Output, PublishError, QueuedUpload};
use chikaku_core::publish::queue::Outcome;
use chikaku_core::status::assessed as core_assessed;

use crate::number::{self, code, to_i32, to_i64};
use crate::{
    Assessment, DiaryOutcome, KeyFileOutcome, RiskLevel, ScanOutcome, UploadCall,
    VenueWarningsOutcome, VisitOutcome,
};

/// What the host has to do, in order.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Action {
    /// Advertise this, and nothing else, from now on. Answer with `onAdvertisingStarted` or
    /// `onAdvertisingFailed`.
    Advertise {
        /// What, from which address, until when.
        plan: AdvertisePlan,
    },
    /// Advertise nothing.
    StopAdvertising,
    /// Nothing can be advertised until then, because the clock was set back.
    AdvertisingSuspended {
        /// Seconds since 1970 UTC.
        until: i64,
    },
    /// Scan now, and report with `onScan`.
    Scan {
        /// For how many seconds.
        seconds: i32,
    },
    /// What became of a scan.
    ScanTaken {
        /// The counts.
        outcome: ScanOutcome,
    },
    /// A new risk configuration is in force, and the remembered days were judged by it.
    ConfigurationAccepted {
        /// What is worth knowing about it, in English.
        warnings: Vec<String>,
    },
    /// A new risk configuration was refused; the one before it stays in force.
    ConfigurationRefused {
        /// Why, in English.
        message: String,
    },
    /// A day's conclusion is new or has changed.
    DayAssessed {
        /// The conclusion.
        assessment: Assessment,
    },
    /// Tell the user about this day, then call `onAnnounced`.
    Announce {
        /// The conclusion.
        assessment: Assessment,
    },
    /// Tell the user that a place visited on this day is warned about, then call `onAnnounced`.
    /// `evidence` says why; which place it was is told only when the user asks.
    AnnounceVenues {
        /// Days since 1970-01-01.
        day: i32,
    },
    /// A day is over; this is what happened on it, also if nothing was found.
    DayRecorded {
        /// The record.
        record: DayRecord,
    },
    /// Nothing of this day is left.
    DayForgotten {
        /// Days since 1970-01-01.
        day: i32,
    },
    /// From this time on, with a network, call `nextUploadCall`.
    UploadsDue {
        /// Seconds since 1970 UTC.
        at: i64,
    },
    /// No server takes these keys any more: tell the user that nobody was warned.
    UploadExpired {
        /// Which upload.
        upload: String,
    },
    /// Nothing is left. The host deletes what it keeps itself, but not the root key: the empty log
    /// is sealed with it. `deleteEverything` leaves no log at all.
    EverythingForgotten,
}

/// Payload and new address, put on the air together: stop, take a new address, start. On every
/// phone platform a new advertising set takes a new random address by itself.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct AdvertisePlan {
    /// Names the plan in the host's answer.
    pub number: i64,
    /// 16-bit UUID of the service.
    pub service_uuid: i32,
    /// The twenty bytes behind the UUID; also what a read over GATT is answered with.
    pub service_data: Vec<u8>,
    /// When the payload must be off the air, seconds since 1970 UTC.
    pub until: i64,
}

impl core::fmt::Debug for AdvertisePlan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AdvertisePlan")
            .field("number", &self.number)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// What happened on one UTC day.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DayRecord {
    /// The UTC day, days since 1970-01-01.
    pub day: i32,
    /// Minutes covered by scans.
    pub minutes_scanned: i32,
    /// Minutes for which tracing was switched on.
    pub minutes_planned: i32,
    /// Key files matched.
    pub files_matched: i32,
    /// Key files listed that could not be fetched, or were refused.
    pub files_missing: i32,
    /// Keys in the files matched.
    pub keys_checked: i64,
    /// The app team's name for the risk configuration in force.
    pub risk_version: Option<String>,
    /// What was found: `not_matched`, `nothing_found` or `found`.
    pub result: String,
    /// The highest level concluded on that day, if something was found.
    pub highest: Option<RiskLevel>,
}

/// Everything one call came to.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) actions: Vec<Action>,
    pub(crate) key_files: Vec<KeyFileOutcome>,
    pub(crate) disclosed: Vec<crate::DiagnosisKey>,
    pub(crate) queued: Option<Result<QueuedUpload, PublishError>>,
    pub(crate) call: Option<UploadCall>,
    pub(crate) progress: Option<Outcome>,
    pub(crate) visit: Option<VisitOutcome>,
    pub(crate) venue_warnings: Option<VenueWarningsOutcome>,
    pub(crate) diary: Option<DiaryOutcome>,
}

impl Answer {
    pub(crate) fn of(outputs: Vec<Output>, configuration: &EngineConfiguration) -> Self {
        let mut answer = Self::default();
        for output in outputs {
            answer.take(output, configuration);
        }
        answer
    }

    fn take(&mut self, output: Output, configuration: &EngineConfiguration) {
        let action = match output {
            Output::Advertise(plan) => Action::Advertise {
                plan: AdvertisePlan {
                    number: to_i64(plan.number),
                    service_uuid: i32::from(configuration.advertisement_format.service_uuid),
                    service_data: plan.payload.to_service_data().to_vec(),
                    until: number::seconds(plan.until),
                },
            },
            Output::StopAdvertising => Action::StopAdvertising,
            Output::AdvertisingSuspended { until } => {
                Action::AdvertisingSuspended { until: number::seconds(until) }
            }
            Output::Scan(plan) => Action::Scan { seconds: to_i32(plan.seconds) },
            Output::ScanIngested(report) => Action::ScanTaken { outcome: report.into() },
            Output::KeyFileIngested(result) => {
                self.key_files.push(KeyFileOutcome::of(&result));
                return;
            }
            Output::KeyFileThrottled { until } => {
                self.key_files.push(KeyFileOutcome::Throttled { until: number::seconds(until) });
                return;
            }
            Output::Configured { warnings } => Action::ConfigurationAccepted {
                warnings: warnings.iter().map(ToString::to_string).collect(),
            },
            Output::ConfigurationRefused(refused) => {
                Action::ConfigurationRefused { message: refused.to_string() }
            }
            Output::Disclosed(keys) => {
                self.disclosed.extend(keys.iter().map(crate::DiagnosisKey::from));
                return;
            }
            Output::DayAssessed(assessment) => {
                Action::DayAssessed { assessment: (&assessment).into() }
            }
            Output::Announce(assessment) => Action::Announce { assessment: (&assessment).into() },
            Output::AnnounceVenues { day } => Action::AnnounceVenues { day: number::day(day) },
            Output::CheckedIn(result) => {
                self.visit = Some(VisitOutcome::of(result));
                return;
            }
            Output::CheckedOut(result) => {
                self.visit = Some(VisitOutcome::of(result.map(|()| 0)));
                return;
            }
            Output::VenueWarningsIngested(result) => {
                self.venue_warnings = Some(VenueWarningsOutcome::of(&result));
                return;
            }
            Output::DiaryBegun(result) => {
                self.diary = Some(DiaryOutcome::begun(result));
                return;
            }
            Output::DiaryUpdated(result) => {
                self.diary = Some(DiaryOutcome::updated(&result));
                return;
            }
            Output::DayRecorded(record) => Action::DayRecorded { record: record.into() },
            Output::UploadQueued(queued) => {
                self.queued = Some(queued);
                return;
            }
            Output::UploadCall(call) => {
                self.call = UploadCall::of(*call);
                return;
            }
            Output::UploadAnswered { outcome, .. } => {
                self.progress = Some(outcome);
                return;
            }
            Output::UploadsDue { at } => Action::UploadsDue { at: number::seconds(at) },
            Output::UploadExpired { upload } => {
                Action::UploadExpired { upload: upload.to_string() }
            }
            Output::DayForgotten { day } => Action::DayForgotten { day: number::day(day) },
            Output::EverythingForgotten => Action::EverythingForgotten,
            // `interface.rs` holds every output that the core has against this list.
            _ => return,
        };
        self.actions.push(action);
    }
}

impl From<core_assessed::Assessed> for DayRecord {
    fn from(record: core_assessed::Assessed) -> Self {
        let highest = match record.result {
            core_assessed::AssessedResult::Found { highest } => Some(highest.into()),
            _ => None,
        };
        Self {
            day: number::day(record.date),
            minutes_scanned: to_i32(record.minutes_scanned),
            minutes_planned: to_i32(record.minutes_planned),
            files_matched: to_i32(record.files_ok),
            files_missing: to_i32(record.files_missing),
            keys_checked: to_i64(record.keys_checked),
            risk_version: record.config_version,
            result: code(&record.result),
            highest,
        }
    }
}
