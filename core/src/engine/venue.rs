//! Visits to venues: kept in the log, matched here, announced with the day.

use super::{Engine, Output, State, Turn};
use crate::clock::ClockReading;
use crate::encounter_log::{Change, EncounterLog};
use crate::risk::Assessment;
use crate::time::UtcDay;
use crate::venue::{CheckInError, VenueCode, VenueDiary, VenueExplanation, WarningPackage};

/// Everything that speaks for an exposure on one UTC day, each by where it comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DayEvidence {
    /// The day.
    pub day: UtcDay,
    /// What follows from phones that were heard.
    pub encounters: Option<Assessment>,
    /// What follows from venues that were visited, by time.
    pub venues: Vec<VenueExplanation>,
}

impl<L: EncounterLog> Engine<L> {
    /// Every visit that is not older than the retention period.
    ///
    /// # Errors
    /// The log's.
    pub fn venues(&self, clocks: ClockReading) -> Result<VenueDiary, L::Error> {
        let mut venues = self.log.venues()?;
        venues.forget_before(self.retained_since(clocks));
        Ok(venues)
    }

    /// What speaks for an exposure on `day`.
    ///
    /// # Errors
    /// The log's.
    pub fn evidence(&self, day: UtcDay, clocks: ClockReading) -> Result<DayEvidence, L::Error> {
        let venues = self.venues(clocks)?.explain(day, &self.configuration.venue_rules);
        Ok(DayEvidence { day, encounters: self.day(day, clocks)?, venues })
    }

    pub(super) fn check_in(
        &self,
        code: &VenueCode,
        state: &State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let mut venues = self.venues_of(turn)?;
        let outcome = if state.record.forgotten_days.contains(&turn.now.day()) {
            Err(CheckInError::ForgottenDay)
        } else {
            venues.check_in(code, turn.now)
        };
        keep_if(outcome.is_ok(), venues, turn);
        turn.outputs.push(Output::CheckedIn(outcome));
        Ok(())
    }

    pub(super) fn check_out(&self, number: u64, turn: &mut Turn) -> Result<(), L::Error> {
        let mut venues = self.venues_of(turn)?;
        let outcome = venues.check_out(number, turn.now);
        keep_if(outcome.is_ok(), venues, turn);
        turn.outputs.push(Output::CheckedOut(outcome));
        Ok(())
    }

    /// The package is marked as processed in the same commit as what it matched.
    pub(super) fn ingest_venue_warnings(
        &self,
        package: &[u8],
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let mut venues = self.venues_of(turn)?;
        let configuration = &self.configuration;
        let (trusted, limits) = (&configuration.trusted_keys, configuration.package_limits);
        let outcome = WarningPackage::verify(package, trusted, limits)
            .and_then(|package| venues.ingest(&package, turn.now));
        let accepted = outcome.is_ok();
        turn.outputs.push(Output::VenueWarningsIngested(outcome));
        if accepted {
            self.announce_venues(&mut venues, turn)?;
        }
        keep_if(accepted, venues, turn);
        Ok(())
    }

    /// A process may die between the commit and the notification.
    pub(super) fn announce_venues_again(&self, turn: &mut Turn) -> Result<(), L::Error> {
        let days = self.venues_of(turn)?.to_tell(&self.configuration.venue_rules);
        turn.outputs.extend(days.into_iter().map(|day| Output::AnnounceVenues { day }));
        Ok(())
    }

    pub(super) fn venues_announced(&self, day: UtcDay, turn: &mut Turn) -> Result<(), L::Error> {
        let mut venues = self.venues_of(turn)?;
        let was_due = venues.to_tell(&self.configuration.venue_rules).contains(&day);
        venues.told(day);
        keep_if(was_due, venues, turn);
        Ok(())
    }

    /// A day is one event: who was told of it because of an encounter is not told again.
    fn announce_venues(&self, venues: &mut VenueDiary, turn: &mut Turn) -> Result<(), L::Error> {
        for day in venues.to_tell(&self.configuration.venue_rules) {
            if self.log.day(day)?.is_some_and(|record| record.announced) {
                venues.told(day);
            } else {
                turn.outputs.push(Output::AnnounceVenues { day });
            }
        }
        Ok(())
    }

    pub(super) fn venues_of(&self, turn: &Turn) -> Result<VenueDiary, L::Error> {
        let mut venues = self.log.venues()?;
        venues.forget_before(turn.horizon.before);
        Ok(venues)
    }
}

pub(super) fn keep_if(changed: bool, venues: VenueDiary, turn: &mut Turn) {
    if changed {
        turn.changes.push(Change::Venues(Box::new(venues)));
    }
}
