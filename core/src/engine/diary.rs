//! The recuperation diary, kept in the log.

use super::{Engine, Output, State, Turn};
use crate::clock::ClockReading;
use crate::diary::{Diary, Entry, EntryError, Start, StartError};
use crate::encounter_log::{Change, EncounterLog};
use crate::local_time::LocalDate;

impl<L: EncounterLog> Engine<L> {
    /// The diary, if one was begun and its period does not lie back longer than anything is kept.
    /// Its schedule, escalation and export are the diary's own, under
    /// [`EngineConfiguration::diary_rules`](super::EngineConfiguration::diary_rules).
    ///
    /// # Errors
    /// The log's.
    pub fn diary(&self, clocks: ClockReading) -> Result<Option<Diary>, L::Error> {
        let since = self.retained_since(clocks);
        Ok(self.log.diary()?.filter(|diary| diary.outlives(since)))
    }

    pub(super) fn begin_diary(&self, start: Start, turn: &mut Turn) -> Result<(), L::Error> {
        let begun = Diary::begin(start, &self.configuration.diary_rules, turn.now);
        let outcome = begun.map(|diary| turn.changes.push(Change::Diary(Box::new(diary))));
        turn.outputs.push(Output::DiaryBegun(outcome));
        Ok(())
    }

    pub(super) fn add_to_diary(
        &self,
        entry: Entry,
        state: &State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let rules = &self.configuration.diary_rules;
        let outcome = match self.diary_of(turn)? {
            None => Err(EntryError::NoDiary),
            Some(_) if state.record.forgotten_days.contains(&entry.at.day()) => {
                Err(EntryError::ForgottenDay)
            }
            Some(mut diary) => diary.add(entry, rules, turn.now).map(|()| {
                let escalation = diary.escalation(rules, turn.now);
                turn.changes.push(Change::Diary(Box::new(diary)));
                escalation
            }),
        };
        turn.outputs.push(Output::DiaryUpdated(outcome));
        Ok(())
    }

    pub(super) fn symptoms_began(&self, onset: LocalDate, turn: &mut Turn) -> Result<(), L::Error> {
        let rules = &self.configuration.diary_rules;
        let outcome = match self.diary_of(turn)? {
            None => Err(StartError::NoDiary),
            Some(mut diary) => diary
                .symptoms_began(onset, rules, turn.now)
                .map(|()| turn.changes.push(Change::Diary(Box::new(diary)))),
        };
        turn.outputs.push(Output::DiaryBegun(outcome));
        Ok(())
    }

    fn diary_of(&self, turn: &Turn) -> Result<Option<Diary>, L::Error> {
        Ok(self.log.diary()?.filter(|diary| diary.outlives(turn.horizon.before)))
    }
}
