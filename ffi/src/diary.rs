//! The recuperation diary as apps get it. It is no medical device: it repeats what a table says.

use chikaku_core::diary::admission::{AdmissionFacts as CoreFacts, Condition, Pneumonia};
use chikaku_core::diary::escalation::Ground;
use chikaku_core::diary::schedule::{Schedule, Slot};
use chikaku_core::diary::{self as core_diary, Basis, Diary, DiaryRules, Entry};
use chikaku_core::local_time::{LocalDate, UtcOffset};
use chikaku_core::time::Timestamp;

use crate::number::{self, to_i32};
use crate::{Action, ExposureNotificationError as Error};

/// How a diary begins.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiaryStart {
    /// Where the period is counted from.
    pub basis: DiaryBasis,
    /// Where the patient stays.
    pub place: DiaryPlace,
    /// How far the patient's clock is ahead of UTC, in minutes: slots and dates are in local time.
    pub utc_offset_minutes: i32,
    /// What is known for the admission score; `None` if nothing is.
    #[uniffi(default = None)]
    pub facts: Option<AdmissionFacts>,
}

/// The date from which the period is counted, day 0, in days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DiaryBasis {
    /// Symptoms began on this date.
    Onset {
        /// In the patient's calendar.
        local_day: i32,
    },
    /// There are none; the test was taken on this date.
    Test {
        /// In the patient's calendar.
        local_day: i32,
    },
}

/// Where the patient recuperates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DiaryPlace {
    /// At home.
    Home,
    /// In a hotel or another place that an authority runs.
    Hotel,
}

/// What is known of the patient. What is not known adds nothing.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct AdmissionFacts {
    /// Age in years.
    #[uniffi(default = None)]
    pub age_years: Option<i32>,
    /// Illnesses that count, each once.
    #[uniffi(default = [])]
    pub conditions: Vec<PatientCondition>,
    /// Inflamed lungs.
    #[uniffi(default = None)]
    pub pneumonia: Option<PneumoniaExtent>,
    /// On dialysis.
    #[uniffi(default = false)]
    pub dialysis: bool,
    /// Pregnant in week 37 or later.
    #[uniffi(default = false)]
    pub pregnancy_of37_weeks: bool,
    /// In need of oxygen.
    #[uniffi(default = false)]
    pub oxygen_needed: bool,
    /// Severe by the doctor's impression.
    #[uniffi(default = false)]
    pub severe_impression: bool,
}

/// An illness that counts.
#[derive(Clone, Copy, PartialEq, Eq, uniffi::Enum)]
#[expect(missing_docs, reason = "the illnesses have no other names")]
pub enum PatientCondition {
    Diabetes,
    ChronicRespiratoryDisease,
    SevereCardiovascularDisease,
    Cancer,
    UncontrolledHypertension,
    AfterTransplant,
    /// A body mass index of 30 or more.
    BodyMassIndexOf30,
}

/// How much of the lungs is inflamed.
#[derive(Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PneumoniaExtent {
    /// One lung, up to a half of it.
    OneLungUpToHalf,
    /// One lung, more than a half of it.
    OneLungOverHalf,
    /// Both lungs.
    BothLungs,
}

/// One entry. Everything but the time may be missing, but not all of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiaryEntry {
    /// When it was made, seconds since 1970 UTC.
    pub at: i64,
    /// Body temperature in tenths of a degree Celsius, 300..=450.
    #[uniffi(default = None)]
    pub temperature_tenths_celsius: Option<i32>,
    /// Oxygen saturation in per cent, 50..=100.
    #[uniffi(default = None)]
    pub spo2_percent: Option<i32>,
    /// The symptoms, by the rules' keys: empty for none, `None` if nobody asked.
    #[uniffi(default = None)]
    pub symptoms: Option<Vec<String>>,
    /// Anything else, 1 to 500 characters.
    #[uniffi(default = None)]
    pub note: Option<String>,
}

/// What came of beginning a diary or of an entry, and what has to be done.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DiaryResult {
    /// What came of it.
    pub outcome: DiaryOutcome,
    /// What has to be done.
    pub actions: Vec<Action>,
}

/// What came of beginning a diary or of an entry.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DiaryOutcome {
    /// The diary has begun, or its period is counted anew.
    Begun,
    /// The entry is kept.
    Kept {
        /// What the rules conclude now.
        escalation: DiaryEscalation,
    },
    /// Nothing has changed.
    Refused {
        /// Why, for ever: `future`, `over`, `no_diary`, `empty`, `before_the_period`,
        /// `forgotten_day`, `unknown_symptom`, `full`.
        code: String,
        /// Why, in English.
        message: String,
    },
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum EscalationLevel {
    /// Nothing calls for anything.
    None,
    /// Look again soon.
    Watch,
    /// Talk to a nurse.
    CallNurse,
    /// Call for help at once.
    Emergency,
}

/// What the rules conclude.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiaryEscalation {
    /// The highest level of the rules that hold.
    pub level: EscalationLevel,
    /// On what: one for each condition of each rule that holds, in the table's order.
    pub grounds: Vec<EscalationGround>,
    /// Keys of the contact points of this level; the words are the app's or `guidanceText`'s.
    pub contacts: Vec<String>,
}

/// A fact on which a rule holds.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum EscalationGround {
    /// The latest saturation.
    Spo2 {
        /// When, seconds since 1970 UTC.
        at: i64,
        /// Per cent.
        percent: i32,
    },
    /// The latest temperature.
    Temperature {
        /// When, seconds since 1970 UTC.
        at: i64,
        /// Tenths of a degree Celsius.
        tenths_celsius: i32,
    },
    /// A symptom of the latest entry that says anything of symptoms.
    Symptom {
        /// When, seconds since 1970 UTC.
        at: i64,
        /// Its key.
        symptom: String,
    },
    /// So many slots in a row were missed.
    MissedSlots {
        /// How many.
        slots: i32,
    },
    /// The admission score.
    AdmissionScore {
        /// Points.
        score: i32,
    },
    /// A fact of a kind that this interface does not know.
    Other,
}

/// A diary as it stands.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiaryState {
    /// When it was begun, seconds since 1970 UTC.
    pub begun_at: i64,
    /// Where the period is counted from.
    pub basis: DiaryBasis,
    /// Where the patient stays.
    pub place: DiaryPlace,
    /// The last day of the period in the patient's calendar, days since 1970-01-01.
    pub last_local_day: i32,
    /// The period is over.
    pub is_over: bool,
    /// The entries, by time.
    pub entries: Vec<DiaryEntry>,
    /// The running slot, if it has no entry yet.
    pub due: Option<DiarySlot>,
    /// Every slot that is over and has no entry, by time.
    pub missed: Vec<DiarySlot>,
    /// How many of them were the latest in a row.
    pub missed_in_a_row: i32,
    /// When to remind the patient next, seconds since 1970 UTC.
    pub next_slot: Option<i64>,
    /// What the rules conclude now.
    pub escalation: DiaryEscalation,
    /// The admission score, if the rules have one.
    pub admission_score: Option<i32>,
}

/// One time at which the patient is asked.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DiarySlot {
    /// When it begins, seconds since 1970 UTC.
    pub begins: i64,
    /// When it is missed unless there is an entry.
    pub ends: i64,
}

/// The whole diary for a health centre, so that nobody types it again. It holds health data:
/// it is shown, not sent.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiaryExport {
    /// JSON with a `format_version`.
    pub json: String,
    /// The same, as the text of a QR code.
    pub qr_text: String,
}

/// What is known of a person's health is shown by no `Debug`.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
redacted!(
    DiaryStart,
    DiaryBasis,
    AdmissionFacts,
    PatientCondition,
    PneumoniaExtent,
    DiaryEntry,
    DiaryEscalation,
    EscalationGround,
    DiaryState,
    DiaryExport
);

/// A date of the patient's calendar.
pub(crate) fn local_date(name: &str, days: i32) -> Result<LocalDate, Error> {
    Ok(LocalDate::at(number::utc_day(name, days)?.start(), UtcOffset::UTC))
}

fn local_day(date: LocalDate) -> i32 {
    to_i32(date.days_since_1970())
}

impl DiaryStart {
    pub(crate) fn read(&self) -> Result<core_diary::Start, Error> {
        Ok(core_diary::Start {
            basis: match self.basis {
                DiaryBasis::Onset { local_day } => Basis::Onset(local_date("onset", local_day)?),
                DiaryBasis::Test { local_day } => Basis::Test(local_date("test", local_day)?),
            },
            place: match self.place {
                DiaryPlace::Home => core_diary::Place::Home,
                DiaryPlace::Hotel => core_diary::Place::Hotel,
            },
            utc_offset: UtcOffset::new(i64::from(self.utc_offset_minutes))
                .map_err(Error::argument)?,
            facts: self.facts.as_ref().map_or_else(|| Ok(CoreFacts::default()), facts)?,
        })
    }
}

fn facts(facts: &AdmissionFacts) -> Result<CoreFacts, Error> {
    let age_years = facts.age_years.map(u8::try_from).transpose();
    Ok(CoreFacts {
        age_years: age_years.map_err(|_| Error::argument("age: outside 0..=255"))?,
        conditions: facts.conditions.iter().map(|condition| (*condition).into()).collect(),
        pneumonia: facts.pneumonia.map(|extent| match extent {
            PneumoniaExtent::OneLungUpToHalf => Pneumonia::OneLungUpToHalf,
            PneumoniaExtent::OneLungOverHalf => Pneumonia::OneLungOverHalf,
            PneumoniaExtent::BothLungs => Pneumonia::BothLungs,
        }),
        dialysis: facts.dialysis,
        pregnancy_of_37_weeks: facts.pregnancy_of37_weeks,
        oxygen_needed: facts.oxygen_needed,
        severe_impression: facts.severe_impression,
    })
}

impl From<PatientCondition> for Condition {
    fn from(condition: PatientCondition) -> Self {
        match condition {
            PatientCondition::Diabetes => Self::Diabetes,
            PatientCondition::ChronicRespiratoryDisease => Self::ChronicRespiratoryDisease,
            PatientCondition::SevereCardiovascularDisease => Self::SevereCardiovascularDisease,
            PatientCondition::Cancer => Self::Cancer,
            PatientCondition::UncontrolledHypertension => Self::UncontrolledHypertension,
            PatientCondition::AfterTransplant => Self::AfterTransplant,
            PatientCondition::BodyMassIndexOf30 => Self::BodyMassIndexOf30,
        }
    }
}

impl DiaryEntry {
    pub(crate) fn read(self) -> Result<Entry, Error> {
        let temperature = self.temperature_tenths_celsius.map(|tenths| {
            // What fits into no number of this size is no temperature either.
            core_diary::Temperature::from_tenths_celsius(u16::try_from(tenths).unwrap_or(0))
        });
        let saturation = self.spo2_percent.map(|percent| {
            core_diary::OxygenSaturation::from_percent(u8::try_from(percent).unwrap_or(0))
        });
        let symptoms = self.symptoms.map(|keys| keys.into_iter().map(TryInto::try_into).collect());
        let mut entry = Entry::at(number::timestamp("entry", self.at)?);
        entry.temperature = temperature.transpose().map_err(Error::argument)?;
        entry.oxygen_saturation = saturation.transpose().map_err(Error::argument)?;
        entry.symptoms = symptoms.transpose().map_err(Error::argument)?;
        entry.note = self.note.map(TryInto::try_into).transpose().map_err(Error::argument)?;
        Ok(entry)
    }
}

impl From<&Entry> for DiaryEntry {
    fn from(entry: &Entry) -> Self {
        let symptoms = entry.symptoms.as_ref();
        Self {
            at: number::seconds(entry.at),
            temperature_tenths_celsius: entry.temperature.map(|it| it.tenths_celsius().into()),
            spo2_percent: entry.oxygen_saturation.map(|it| it.percent().into()),
            symptoms: symptoms.map(|keys| keys.iter().map(|it| it.as_str().to_owned()).collect()),
            note: entry.note.as_ref().map(|note| note.as_str().to_owned()),
        }
    }
}

impl DiaryOutcome {
    pub(crate) fn begun(result: Result<(), core_diary::StartError>) -> Self {
        use core_diary::StartError;
        let Err(error) = result else { return Self::Begun };
        let code = match error {
            StartError::Future => "future",
            StartError::Over(_) => "over",
            StartError::NoDiary => "no_diary",
            _ => "other",
        };
        Self::Refused { code: code.to_owned(), message: error.to_string() }
    }

    pub(crate) fn updated(result: &Result<core_diary::Escalation, core_diary::EntryError>) -> Self {
        use core_diary::EntryError;
        let error = match result {
            Ok(escalation) => return Self::Kept { escalation: escalation.into() },
            Err(error) => error,
        };
        let code = match error {
            EntryError::NoDiary => "no_diary",
            EntryError::Empty => "empty",
            EntryError::Future => "future",
            EntryError::BeforeThePeriod => "before_the_period",
            EntryError::ForgottenDay => "forgotten_day",
            EntryError::UnknownSymptom(_) => "unknown_symptom",
            EntryError::Full => "full",
            _ => "other",
        };
        Self::Refused { code: code.to_owned(), message: error.to_string() }
    }
}

impl From<&core_diary::Escalation> for DiaryEscalation {
    fn from(escalation: &core_diary::Escalation) -> Self {
        let grounds = escalation.holding.iter().flat_map(|held| &held.grounds);
        Self {
            level: match escalation.level {
                core_diary::EscalationLevel::None => EscalationLevel::None,
                core_diary::EscalationLevel::Watch => EscalationLevel::Watch,
                core_diary::EscalationLevel::CallNurse => EscalationLevel::CallNurse,
                core_diary::EscalationLevel::Emergency => EscalationLevel::Emergency,
            },
            grounds: grounds.map(EscalationGround::from).collect(),
            contacts: escalation.contacts.iter().map(|key| key.as_str().to_owned()).collect(),
        }
    }
}

impl From<&Ground> for EscalationGround {
    fn from(ground: &Ground) -> Self {
        match ground {
            Ground::OxygenSaturation { at, percent } => {
                Self::Spo2 { at: number::seconds(*at), percent: i32::from(*percent) }
            }
            Ground::Temperature { at, tenths_celsius } => Self::Temperature {
                at: number::seconds(*at),
                tenths_celsius: i32::from(*tenths_celsius),
            },
            Ground::Symptom { at, key } => {
                Self::Symptom { at: number::seconds(*at), symptom: key.as_str().to_owned() }
            }
            Ground::MissedSlots(slots) => Self::MissedSlots { slots: to_i32(*slots) },
            Ground::AdmissionScore(score) => Self::AdmissionScore { score: *score },
            _ => Self::Other,
        }
    }
}

impl From<&Slot> for DiarySlot {
    fn from(slot: &Slot) -> Self {
        Self { begins: number::seconds(slot.begins), ends: number::seconds(slot.ends) }
    }
}

impl DiaryState {
    pub(crate) fn of(diary: &Diary, rules: &DiaryRules, now: Timestamp) -> Self {
        let Schedule { due, missed, missed_in_a_row, next, is_over, .. } =
            diary.schedule(rules, now);
        Self {
            begun_at: number::seconds(diary.begun_at()),
            basis: match diary.basis() {
                Basis::Onset(date) => DiaryBasis::Onset { local_day: local_day(date) },
                Basis::Test(date) => DiaryBasis::Test { local_day: local_day(date) },
            },
            place: match diary.place() {
                core_diary::Place::Home => DiaryPlace::Home,
                core_diary::Place::Hotel => DiaryPlace::Hotel,
            },
            last_local_day: local_day(diary.last_day()),
            is_over,
            entries: diary.entries().iter().map(DiaryEntry::from).collect(),
            due: due.as_ref().map(DiarySlot::from),
            missed: missed.iter().map(DiarySlot::from).collect(),
            missed_in_a_row: to_i32(missed_in_a_row),
            next_slot: next.map(number::seconds),
            escalation: (&diary.escalation(rules, now)).into(),
            admission_score: diary.admission_score(rules),
        }
    }
}
