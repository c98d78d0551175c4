//! Visits to venues.

use chikaku_core::engine::Input;
use chikaku_core::venue::VenueCode as CoreCode;

use super::ExposureNotificationClient;
use crate::number::{self, to_i64};
use crate::venue::venue_code_code;
use crate::{
    ClockReading, DayEvidence, ExposureNotificationError as Error, ScannedCode, VenueCode,
    VenueWarningsResult, Visit, VisitOutcome, VisitResult,
};

#[uniffi::export]
impl ExposureNotificationClient {
    /// What a scanned QR code says, for the screen on which the user decides. Nothing is kept.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn read_venue_code(&self, text: String) -> Result<ScannedCode, Error> {
        self.with(|open| {
            Ok(match CoreCode::read(&text) {
                Ok(code) => {
                    let is_signed = code.verify_issuer(&open.venue_issuers).is_ok();
                    ScannedCode::Venue { code: VenueCode::of(&code, is_signed) }
                }
                Err(error) => ScannedCode::Refused {
                    code: venue_code_code(&error).to_owned(),
                    message: error.to_string(),
                },
            })
        })
    }

    /// The user wants to check in with this scanned text. The visit ends by itself after the
    /// place's default stay.
    ///
    /// # Errors
    /// [`Error`]; what is wrong with the code is part of the answer.
    pub fn check_in(&self, text: String, now: ClockReading) -> Result<VisitResult, Error> {
        match CoreCode::read(&text) {
            Ok(code) => self.visit(&now, Input::CheckIn(Box::new(code))),
            Err(error) => {
                self.with(|_| Ok(()))?;
                let outcome = VisitOutcome::unreadable(&error);
                Ok(VisitResult { outcome, actions: Vec::new() })
            }
        }
    }

    /// The user left.
    ///
    /// # Errors
    /// [`Error`].
    pub fn check_out(&self, visit: i64, now: ClockReading) -> Result<VisitResult, Error> {
        let number = u64::try_from(visit).map_err(|_| Error::argument("visit: negative"))?;
        let mut result = self.visit(&now, Input::CheckOut { number })?;
        if let VisitOutcome::Kept { number } = &mut result.outcome {
            *number = visit;
        }
        Ok(result)
    }

    /// Every visit that is remembered, in the order in which they began.
    ///
    /// # Errors
    /// [`Error`].
    pub fn visits(&self, now: ClockReading) -> Result<Vec<Visit>, Error> {
        self.read(&now, |open, clocks| {
            Ok(open.engine.venues(clocks)?.check_ins().iter().map(Visit::from).collect())
        })
    }

    /// The name that stood in a visit's code; `None` if there was none, or no such visit. For the
    /// user's own eyes, when asked for: that somebody fell ill is not the venue's fault.
    ///
    /// # Errors
    /// [`Error`].
    pub fn visit_name(&self, visit: i64, now: ClockReading) -> Result<Option<String>, Error> {
        self.read(&now, |open, clocks| {
            let venues = open.engine.venues(clocks)?;
            let visit = venues.check_ins().iter().find(|known| to_i64(known.number) == visit);
            Ok(visit.and_then(|visit| visit.label.clone()))
        })
    }

    /// Matches a downloaded package of venue warnings.
    ///
    /// # Errors
    /// [`Error`]; what is wrong with the package is part of the answer.
    pub fn provide_venue_warnings(
        &self,
        package: Vec<u8>,
        now: ClockReading,
    ) -> Result<VenueWarningsResult, Error> {
        let answer = self.tell(&now, Input::VenueWarnings(&package))?;
        let outcome = answer.venue_warnings.ok_or(Error::Internal)?;
        Ok(VenueWarningsResult { outcome, actions: answer.actions })
    }

    /// What speaks for an exposure on a UTC day: phones that were heard and venues that were
    /// visited.
    ///
    /// # Errors
    /// [`Error`].
    pub fn evidence(&self, day: i32, now: ClockReading) -> Result<DayEvidence, Error> {
        let day = number::utc_day("day", day)?;
        self.read(&now, |open, clocks| Ok(open.engine.evidence(day, clocks)?.into()))
    }
}

impl ExposureNotificationClient {
    fn visit(&self, now: &ClockReading, input: Input<'_>) -> Result<VisitResult, Error> {
        let answer = self.tell(now, input)?;
        let outcome = answer.visit.ok_or(Error::Internal)?;
        Ok(VisitResult { outcome, actions: answer.actions })
    }
}
