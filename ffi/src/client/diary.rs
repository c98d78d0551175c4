//! The recuperation diary.

use chikaku_core::engine::Input;

use super::ExposureNotificationClient;
use crate::diary::local_date;
use crate::{
    ClockReading, DiaryEntry, DiaryExport, DiaryResult, DiaryStart, DiaryState,
    ExposureNotificationError as Error,
};

#[uniffi::export]
impl ExposureNotificationClient {
    /// The user recuperates and begins a diary. It replaces one that was begun before.
    ///
    /// # Errors
    /// [`Error`]; a period that makes no sense is part of the answer.
    pub fn begin_diary(&self, start: DiaryStart, now: ClockReading) -> Result<DiaryResult, Error> {
        self.diary_result(&now, Input::BeginDiary(Box::new(start.read()?)))
    }

    /// Keeps an entry; it replaces one of the same second.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a value that nobody can have; otherwise [`Error`]. An entry
    /// that does not belong into the diary is part of the answer.
    pub fn add_diary_entry(
        &self,
        entry: DiaryEntry,
        now: ClockReading,
    ) -> Result<DiaryResult, Error> {
        self.diary_result(&now, Input::DiaryEntry(Box::new(entry.read()?)))
    }

    /// A user without symptoms when the diary began has had some since this date of the own
    /// calendar, days since 1970-01-01: the period is counted anew.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_symptoms_began(
        &self,
        local_day: i32,
        now: ClockReading,
    ) -> Result<DiaryResult, Error> {
        let onset = local_date("onset", local_day)?;
        self.diary_result(&now, Input::SymptomsBegan(onset))
    }

    /// The symptoms that the rules know, by their keys.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn diary_symptoms(&self) -> Result<Vec<String>, Error> {
        self.with(|open| {
            let known = open.engine.configuration().diary_rules.symptoms();
            Ok(known.map(|key| key.as_str().to_owned()).collect())
        })
    }

    /// The diary, what is due and what the rules conclude; `None` if none is kept.
    ///
    /// # Errors
    /// [`Error`].
    pub fn diary(&self, now: ClockReading) -> Result<Option<DiaryState>, Error> {
        self.read(&now, |open, clocks| {
            let rules = &open.engine.configuration().diary_rules;
            let diary = open.engine.diary(clocks)?;
            Ok(diary.map(|diary| DiaryState::of(&diary, rules, clocks.wall)))
        })
    }

    /// The whole diary to be shown to a health centre; `None` if none is kept.
    ///
    /// # Errors
    /// [`Error`].
    pub fn diary_export(&self, now: ClockReading) -> Result<Option<DiaryExport>, Error> {
        self.read(&now, |open, clocks| {
            let rules = &open.engine.configuration().diary_rules;
            let export = open.engine.diary(clocks)?.map(|diary| diary.export(rules, clocks.wall));
            Ok(export
                .map(|export| DiaryExport { json: export.to_json(), qr_text: export.to_qr_text() }))
        })
    }
}

impl ExposureNotificationClient {
    fn diary_result(&self, now: &ClockReading, input: Input<'_>) -> Result<DiaryResult, Error> {
        let answer = self.tell(now, input)?;
        let outcome = answer.diary.ok_or(Error::Internal)?;
        Ok(DiaryResult { outcome, actions: answer.actions })
    }
}
