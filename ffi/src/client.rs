//! The one object.

mod diary;
mod log;
mod venue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use chikaku_core::clock::ClockReading as CoreReading;
use chikaku_core::diagnosis_key::ReportType as CoreReportType;
use chikaku_core::encounter_log::EncounterLog;
use chikaku_core::engine::{self, Engine, Input, NewConfiguration};
use chikaku_core::export::TrustedKeys;
use chikaku_core::guidance::local_time::UtcOffset;
use chikaku_core::guidance::messages::{MessageKey, PlaceholderValues};
use chikaku_core::guidance::{self, Situation};
use chikaku_core::risk::{ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::time::UtcDay;
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::action::Answer;
use crate::configuration::GuidanceRules;
use crate::log::{Log, LogError};
use crate::number::{self, to_i64};
use crate::{
    Action, Assessment, ClientConfiguration, ClockReading, DailySummary, DayRecord, Disclosure,
    ExposureExplanation, ExposureNotificationError as Error, ExposureWindow, Guidance, HostFacts,
    KeyFile, KeyFileOutcome, KeyFilesResult, KeysDataMapping, LogLocation, ReportType, Scan,
    Silence, Status, Symptoms, exposure,
};

/// A phone's exposure notification: thread-safe, without threads, clock or network of its own.
///
/// Every call takes both clocks; every call that changes something returns what the host has to
/// do, in order. One call is one transaction: if it fails, nothing has happened.
#[derive(Debug, uniffi::Object)]
pub struct ExposureNotificationClient {
    /// `None` after the shutdown.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) engine: Engine<Log>,
    guidance: GuidanceRules,
    /// Whose signature makes a venue's code a genuine one.
    pub(crate) venue_issuers: TrustedKeys,
}

impl ExposureNotificationClient {
    /// A client over the log that `log` opens; it is not opened for a configuration without sense.
    fn over(
        configuration: &ClientConfiguration,
        log: impl FnOnce() -> Result<Log, Error>,
    ) -> Result<Self, Error> {
        let engine = catch_unwind(AssertUnwindSafe(|| {
            let guidance = configuration.guidance()?;
            let venue_issuers = configuration.venue_issuers()?;
            let engine = Engine::open(configuration.engine()?, log()?)?;
            Ok(Open { engine, guidance, venue_issuers })
        }));
        let open = engine.unwrap_or(Err(Error::Internal))?;
        Ok(Self { open: Mutex::new(Some(open)) })
    }

    /// Runs `call` alone. A panic becomes [`Error::Internal`] and leaves everything as it was,
    /// because the engine replaces its state only when a call has succeeded.
    pub(crate) fn with<T>(
        &self,
        call: impl FnOnce(&mut Open) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = guard.as_mut().ok_or(Error::Closed)?;
        catch_unwind(AssertUnwindSafe(|| call(open))).unwrap_or(Err(Error::Internal))
    }

    pub(crate) fn read<T>(
        &self,
        clocks: &ClockReading,
        call: impl FnOnce(&Open, CoreReading) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let clocks = clocks.read()?;
        self.with(|open| call(open, clocks))
    }

    pub(crate) fn tell(&self, clocks: &ClockReading, input: Input<'_>) -> Result<Answer, Error> {
        let clocks = clocks.read()?;
        self.with(|open| Ok(open.tell(input, clocks)?))
    }

    pub(crate) fn act(
        &self,
        clocks: &ClockReading,
        input: Input<'_>,
    ) -> Result<Vec<Action>, Error> {
        Ok(self.tell(clocks, input)?.actions)
    }
}

impl Open {
    fn tell(&mut self, input: Input<'_>, clocks: CoreReading) -> Result<Answer, LogError> {
        let outputs = self.engine.handle(input, clocks, &mut UnwrapErr(SysRng))?;
        Ok(Answer::of(outputs, self.engine.configuration()))
    }

    /// What is concluded about each remembered day, by date.
    fn days(&self, clocks: CoreReading) -> Result<Vec<chikaku_core::risk::Assessment>, LogError> {
        let today = clocks.wall.day();
        let retention = self.engine.configuration().retention_days;
        // A clock that was set back leaves days in its future: the engine still knows them.
        let first = today.saturating_sub(retention).days_since_1970();
        let last = today.saturating_add(retention).days_since_1970();
        let mut days = Vec::new();
        for day in first..=last {
            days.extend(self.engine.day(UtcDay::new(day), clocks)?);
        }
        Ok(days)
    }
}

#[uniffi::export]
impl ExposureNotificationClient {
    /// Opens the log and makes an engine over what it remembers. It does nothing until `start`.
    ///
    /// # Errors
    /// [`Error::InvalidConfiguration`]; of a log on disk also [`Error::InvalidArgument`],
    /// `LogAbsent`, `LogWrongKey`, `LogOfOtherInstallation`, `LogNewer`, `LogCorrupt`, `LogInUse`,
    /// `LogFull`, `LogFailed`.
    #[uniffi::constructor]
    pub fn open(configuration: ClientConfiguration, log: LogLocation) -> Result<Self, Error> {
        Self::over(&configuration, || Log::open(log))
    }

    /// Closes the log. Every further call fails with [`Error::Closed`]; a second shutdown is
    /// harmless.
    pub fn shutdown(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    // The radio's day.

    /// The user switched tracing on, or the process came back with tracing on.
    ///
    /// # Errors
    /// [`Error`].
    pub fn start(&self, now: ClockReading) -> Result<Vec<Action>, Error> {
        self.act(&now, Input::Start)
    }

    /// The user switched tracing off.
    ///
    /// # Errors
    /// [`Error`].
    pub fn stop(&self, now: ClockReading) -> Result<Vec<Action>, Error> {
        self.act(&now, Input::Stop)
    }

    /// Whether the user has tracing switched on.
    ///
    /// # Errors
    /// [`Error`].
    pub fn is_enabled(&self, now: ClockReading) -> Result<bool, Error> {
        let status = self.status(HostFacts::default(), now)?;
        Ok(status.reasons.iter().all(|reason| reason.code != "switched_off"))
    }

    /// The time that `next_wake` named has come; harmless at any other time.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_wake(&self, now: ClockReading) -> Result<Vec<Action>, Error> {
        self.act(&now, Input::Wake)
    }

    /// When to call `on_wake` at the latest, seconds since 1970 UTC by the phone's wall clock;
    /// `None` before the first call. After a change of the wall clock, call at once.
    ///
    /// # Errors
    /// [`Error`].
    pub fn next_wake(&self) -> Result<Option<i64>, Error> {
        self.with(|open| Ok(open.engine.next_wake().map(number::seconds)))
    }

    /// The plan with this number is on the air, under a new address.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_advertising_started(
        &self,
        plan: i64,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let plan = plan_number(plan)?;
        self.act(&now, Input::AdvertisingStarted { plan })
    }

    /// The radio refused the plan with this number. It is planned anew after a minute.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_advertising_failed(
        &self,
        plan: i64,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let plan = plan_number(plan)?;
        self.act(&now, Input::AdvertisingFailed { plan })
    }

    /// A scan is over; this is everything it heard.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_scan(&self, scan: Scan, now: ClockReading) -> Result<Vec<Action>, Error> {
        self.act(&now, Input::ScanFinished(scan.read()?))
    }

    /// A source that the host trusts, such as a server over an authenticated connection, says
    /// that it is this time now. Corrects what was recorded since boot.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_trusted_time(
        &self,
        unix_seconds: i64,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let time = number::timestamp("trusted time", unix_seconds)?;
        self.act(&now, Input::TrustedTime(time))
    }

    // Keys and configurations from a server, keys to one.

    /// Matches downloaded key files. `missing` files were listed by the server and could not be
    /// fetched.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::Closed`]; what becomes of each file is in the answer.
    pub fn provide_diagnosis_keys(
        &self,
        files: Vec<KeyFile>,
        missing: i32,
        now: ClockReading,
    ) -> Result<KeyFilesResult, Error> {
        let missing = number::count("missing files", missing)?;
        let listed = u32::try_from(files.len()).unwrap_or(u32::MAX).saturating_add(missing);
        let mut actions = self.act(&now, Input::FilesListed { listed, missing })?;
        let mut outcomes = Vec::with_capacity(files.len());
        for file in &files {
            let Ok(position) = u64::try_from(file.position) else {
                outcomes.push(KeyFileOutcome::Invalid);
                continue;
            };
            let cursor = file.source.as_deref().map(|source| (source, position));
            let input = Input::KeyFile(engine::KeyFile { bytes: &file.bytes, cursor });
            match self.tell(&now, input) {
                Ok(answer) => {
                    actions.extend(answer.actions);
                    outcomes.extend(answer.key_files);
                }
                Err(Error::LogFull) => outcomes.push(KeyFileOutcome::NotStored { full: true }),
                Err(Error::LogFailed(_) | Error::Internal) => {
                    outcomes.push(KeyFileOutcome::NotStored { full: false });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(KeyFilesResult { files: outcomes, actions })
    }

    /// How far the key files of `source` have been matched; `None` if none was.
    ///
    /// # Errors
    /// [`Error`].
    pub fn cursor(&self, source: String) -> Result<Option<i64>, Error> {
        self.with(|open| Ok(open.engine.cursor(&source)?.map(to_i64)))
    }

    /// The user tested positive and consents to publishing the keys: those that have ended, the
    /// running one cut off now. `onset_day` is the UTC day of the first symptoms, days since
    /// 1970-01-01; `None` if there were none or it is not known.
    ///
    /// # Errors
    /// [`Error`].
    pub fn temporary_exposure_key_history(
        &self,
        report_type: ReportType,
        onset_day: Option<i32>,
        now: ClockReading,
    ) -> Result<Disclosure, Error> {
        let onset = onset_day.map(|day| number::utc_day("onset day", day)).transpose()?;
        let report_type: CoreReportType = report_type.core();
        let disclosure = engine::Disclosure { report_type, onset };
        let answer = self.tell(&now, Input::Disclose(disclosure))?;
        Ok(Disclosure { keys: answer.disclosed, actions: answer.actions })
    }

    /// A risk configuration was downloaded: a risk profile, or one of COCOA's documents. It comes
    /// into force if somebody would be notified under it; the answer says so, or why not.
    ///
    /// # Errors
    /// [`Error`].
    pub fn set_risk_configuration(
        &self,
        json: String,
        version: Option<String>,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let new = NewConfiguration { json: &json, version: version.as_deref() };
        self.act(&now, Input::Configure(new))
    }

    /// Replaces what a key's details mean, in the risk configuration in force. The result comes
    /// into force if somebody would be notified under it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] also if the configuration in force knows no mapping.
    pub fn set_diagnosis_keys_data_mapping(
        &self,
        mapping: KeysDataMapping,
        version: Option<String>,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let mapping = mapping.read()?;
        let clocks = now.read()?;
        self.with(|open| {
            let mut rules = open.engine.profile().rules().clone();
            match &mut rules {
                ProfileRules::Gaen(rules) => rules.mapping = mapping,
                ProfileRules::CocoaV2(rules) => rules.mapping = mapping,
                ProfileRules::Cwa(rules) => rules.mapping = mapping,
                ProfileRules::Monotone(rules) => rules.mapping = mapping,
                _ => return Err(Error::argument("the risk configuration has no mapping")),
            }
            let profile = RiskProfile::new(rules).map_err(Error::argument)?;
            let json = serde_json::to_string(&profile).map_err(|_| Error::Internal)?;
            let new = NewConfiguration { json: &json, version: version.as_deref() };
            Ok(open.tell(Input::Configure(new), clocks)?.actions)
        })
    }

    // What is known.

    /// Whether the phone takes part, and everything that keeps it from it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn status(&self, host: HostFacts, now: ClockReading) -> Result<Status, Error> {
        self.read(&now, |open, clocks| Ok(open.engine.status(host.into(), clocks).into()))
    }

    /// The exposure windows of the retention period, by key and time.
    ///
    /// # Errors
    /// [`Error`].
    pub fn exposure_windows(&self, now: ClockReading) -> Result<Vec<ExposureWindow>, Error> {
        self.read(&now, |open, clocks| {
            let exposures = open.engine.exposures(clocks)?;
            Ok(exposures.iter().flat_map(exposure::windows).collect())
        })
    }

    /// GAEN's summary of each day that has one, by date. Empty under a risk configuration that
    /// knows none.
    ///
    /// # Errors
    /// [`Error`].
    pub fn daily_summaries(&self, now: ClockReading) -> Result<Vec<DailySummary>, Error> {
        let days = self.assessments(now)?;
        Ok(days.into_iter().filter_map(|day| day.daily_summary).collect())
    }

    /// What was concluded about each day with a contact, by date.
    ///
    /// # Errors
    /// [`Error`].
    pub fn assessments(&self, now: ClockReading) -> Result<Vec<Assessment>, Error> {
        self.read(&now, |open, clocks| {
            Ok(open.days(clocks)?.iter().map(Assessment::from).collect())
        })
    }

    /// What happened on each day that is over, also where nothing was found, by date.
    ///
    /// # Errors
    /// [`Error`].
    pub fn day_records(&self, now: ClockReading) -> Result<Vec<DayRecord>, Error> {
        self.read(&now, |open, clocks| {
            Ok(open.engine.assessed(clocks)?.into_iter().map(DayRecord::from).collect())
        })
    }

    /// How many sightings the log holds of a UTC day, for a screen that shows that it works.
    ///
    /// # Errors
    /// [`Error`].
    pub fn sightings_on(&self, day: i32) -> Result<i64, Error> {
        let day = number::utc_day("day", day)?;
        self.with(|open| {
            let mut sightings = 0_u64;
            open.engine.log().visit_sightings(&mut |sighting| {
                sightings += u64::from(sighting.heard_at.day() == day);
            })?;
            Ok(to_i64(sightings))
        })
    }

    /// Why each exposure is one, and what it came to.
    ///
    /// # Errors
    /// [`Error`].
    pub fn explanations(&self, now: ClockReading) -> Result<Vec<ExposureExplanation>, Error> {
        self.read(&now, |open, clocks| {
            let explanations = open.engine.explanations(clocks)?;
            Ok(explanations.into_iter().map(ExposureExplanation::from).collect())
        })
    }

    /// Why the user was not told of a UTC day: every reason that applies, the nearest first.
    ///
    /// # Errors
    /// [`Error`].
    pub fn explain_silence(&self, day: i32, now: ClockReading) -> Result<Vec<Silence>, Error> {
        let day = number::utc_day("day", day)?;
        self.read(&now, |open, clocks| {
            let silence = open.engine.explain_silence(day, clocks)?;
            Ok(silence.into_iter().map(Silence::from).collect())
        })
    }

    /// What a notified person should do; `None` if no day is High. `utc_offset_minutes` is how far
    /// the person's clock is ahead of UTC.
    ///
    /// # Errors
    /// [`Error`].
    pub fn guidance(
        &self,
        symptoms: Symptoms,
        utc_offset_minutes: i32,
        now: ClockReading,
    ) -> Result<Option<Guidance>, Error> {
        let utc_offset = UtcOffset::new(i64::from(utc_offset_minutes)).map_err(Error::argument)?;
        self.read(&now, |open, clocks| {
            let days = open.days(clocks)?;
            let high = days.iter().filter(|day| day.level == RiskLevel::High);
            let situation = Situation {
                high_days: high.map(|day| day.day).collect(),
                symptoms: symptoms.into(),
                utc_offset,
            };
            let rules = &open.guidance.table;
            Ok(guidance::guidance(rules, &situation, clocks.wall).map(Guidance::from))
        })
    }

    /// The words of a message or of a contact point's name; `None` if there are none for the key
    /// in this language. `until` is the last day of care as the host's calendar writes it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn guidance_text(
        &self,
        key: String,
        language: String,
        precaution_days: i32,
        until: String,
    ) -> Result<Option<String>, Error> {
        let days = number::count("precaution days", precaution_days)?;
        let Ok(key) = MessageKey::try_from(key) else { return Ok(None) };
        let values = PlaceholderValues { days, until: &until };
        self.with(|open| Ok(open.guidance.messages.text(&language, &key, values)))
    }

    // What the user decides.

    /// The user has been told of this High day.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_announced(&self, day: i32, now: ClockReading) -> Result<Vec<Action>, Error> {
        let day = number::utc_day("day", day)?;
        self.act(&now, Input::Announced { day })
    }

    /// The user wants this UTC day forgotten, now and whenever something of it comes later.
    ///
    /// # Errors
    /// [`Error`].
    pub fn forget_day(&self, day: i32, now: ClockReading) -> Result<Vec<Action>, Error> {
        let day = number::utc_day("day", day)?;
        self.act(&now, Input::ForgetDay(day))
    }

    /// The user wants everything forgotten. The client is as new, and stopped.
    ///
    /// # Errors
    /// [`Error`].
    pub fn forget_everything(&self, now: ClockReading) -> Result<Vec<Action>, Error> {
        self.act(&now, Input::ForgetEverything)
    }
}

fn plan_number(plan: i64) -> Result<u64, Error> {
    u64::try_from(plan).map_err(|_| Error::argument("plan: negative"))
}

mod publishing;
#[cfg(test)]
mod tests;

pub use publishing::processing_number_of_link;
