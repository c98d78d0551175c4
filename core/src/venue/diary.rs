//! The visits that a phone keeps, and which of them were warned about.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::code::{VenueCode, VenueType};
use super::package::{PackageError, WarningPackage};
use super::warning::{ProtectedWarning, VenueId};
use crate::time::{Timestamp, UtcDay};

/// More check-ins a day than anybody makes: whoever scans a code that somebody else poses cannot
/// fill the log.
pub const MOST_CHECK_INS_A_DAY: usize = 100;

/// How many packages are remembered as processed, against matching them twice.
const MOST_PACKAGES: usize = 2_000;

/// A check-in that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckInError {
    /// The visit there has not ended.
    #[error("there is a visit to this place that has not ended")]
    StillThere,
    /// [`MOST_CHECK_INS_A_DAY`].
    #[error("more than {MOST_CHECK_INS_A_DAY} check-ins on one day")]
    TooMany,
    /// The code is of an event that is over or has not begun.
    #[error("the event is not on now")]
    NotNow,
    /// No visit has this number, or it has ended.
    #[error("there is no running visit of this number")]
    NotThere,
    /// The user wanted this day to be forgotten.
    #[error("the day is one that was forgotten")]
    ForgottenDay,
}

/// One visit. `Debug` shows neither the place nor its name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckIn {
    /// Names the visit on this phone.
    pub number: u64,
    pub(super) venue: VenueId,
    /// What kind of place it is.
    pub venue_type: VenueType,
    /// The name that stands in the code; to be shown only when the user asks for it.
    pub label: Option<String>,
    /// When the user came.
    pub since: Timestamp,
    /// When the user left, or is taken to have left.
    pub until: Timestamp,
    /// The warnings of this visit wait for the server or are there: it matches none any more.
    pub submitted: bool,
}

impl CheckIn {
    /// Seconds of `from..to` that lie within the visit, as `(begin, end)`.
    fn overlap(&self, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = (self.since.max(from), self.until.min(to));
        (from < to).then_some((from, to))
    }
}

impl fmt::Debug for CheckIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckIn").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A warning that met a visit on one UTC day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VenueMatch {
    /// The UTC day.
    pub day: UtcDay,
    /// [`CheckIn::number`].
    pub check_in: u64,
    /// From when on both were there, or the air still held what one had left.
    pub from: Timestamp,
    /// For how many seconds.
    pub seconds: u32,
    /// How infectious the other visitor was, 1..=8.
    pub transmission_risk_level: u8,
    /// Names the warning, so that one that comes again counts once and two that look alike count
    /// twice.
    warning: [u8; 32],
}

impl fmt::Debug for VenueMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VenueMatch")
            .field("day", &self.day)
            .field("seconds", &self.seconds)
            .field("transmission_risk_level", &self.transmission_risk_level)
            .finish_non_exhaustive()
    }
}

/// When a day's matches are worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueRules {
    /// Seconds of one day, summed over its matches, from which on the user is told.
    pub tell_from_seconds: u32,
    /// Warnings below this risk level are kept but not counted, 1..=8.
    pub least_transmission_risk_level: u8,
}

impl Default for VenueRules {
    /// Ten minutes, the shortest stay that warns anybody, at any risk level. Ours.
    fn default() -> Self {
        Self { tell_from_seconds: 600, least_transmission_risk_level: 1 }
    }
}

/// Why a visit counts: all of it, for the user alone. `Debug` does not show the name.
#[derive(Clone, PartialEq, Eq)]
pub struct VenueExplanation {
    /// What kind of place it was.
    pub venue_type: VenueType,
    /// Its name, if the code had one. Not to be published: it is not the venue's fault.
    pub label: Option<String>,
    /// When the user was there.
    pub stay: (Timestamp, Timestamp),
    /// The warning that met the stay.
    pub matched: VenueMatch,
    /// Whether its risk level counts under the rules.
    pub counts: bool,
}

impl fmt::Debug for VenueExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VenueExplanation")
            .field("venue_type", &self.venue_type)
            .field("stay", &self.stay)
            .field("matched", &self.matched)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// What came of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageReport {
    /// It had been processed before; nothing was looked at.
    pub known: bool,
    /// Warnings that were looked at.
    pub warnings: u64,
    /// Messages that are no warnings.
    pub unreadable: u64,
    /// Warnings of a place that was visited.
    pub of_visited_places: u64,
    /// Of these, those that are not authentic or not possible.
    pub refused: u64,
    /// New matches of a visit.
    pub matched: u64,
}

/// Everything that a phone keeps of visits: a plain value, which the engine keeps in the encounter
/// log. `Debug` shows counts.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VenueDiary {
    next_number: u64,
    pub(super) check_ins: Vec<CheckIn>,
    matches: BTreeSet<VenueMatch>,
    /// Days of which the user has been told.
    told: BTreeSet<UtcDay>,
    /// SHA-256 of packages, in the order in which they came. Kept with their matches: a package is
    /// never marked without them.
    processed: Vec<([u8; 32], Timestamp)>,
    /// Codes of authentication of the warnings that this phone made, by the UTC day that each is
    /// of. They match nothing here.
    pub(super) own_warnings: BTreeSet<(UtcDay, [u8; 32])>,
}

impl VenueDiary {
    /// The user scanned `code` at `now`. The visit ends by itself after the place's default stay,
    /// and with the event; returns its number.
    ///
    /// # Errors
    /// [`CheckInError`].
    pub fn check_in(&mut self, code: &VenueCode, now: Timestamp) -> Result<u64, CheckInError> {
        let venue = code.id();
        if self.check_ins.iter().any(|visit| visit.venue == venue && now < visit.until) {
            return Err(CheckInError::StillThere);
        }
        let today = self.check_ins.iter().filter(|visit| visit.since.day() == now.day());
        if today.count() >= MOST_CHECK_INS_A_DAY {
            return Err(CheckInError::TooMany);
        }
        let mut until = now.saturating_add(code.default_stay().minutes().saturating_mul(60));
        if let Some((begins, ends)) = code.event() {
            if now < begins || now >= ends {
                return Err(CheckInError::NotNow);
            }
            until = until.min(ends);
        }
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        self.check_ins.push(CheckIn {
            number,
            venue,
            venue_type: code.venue_type(),
            label: code.name().map(ToOwned::to_owned),
            since: now,
            until,
            submitted: false,
        });
        Ok(number)
    }

    /// The user left at `now`.
    ///
    /// # Errors
    /// [`CheckInError::NotThere`].
    pub fn check_out(&mut self, number: u64, now: Timestamp) -> Result<(), CheckInError> {
        let mut visits = self.check_ins.iter_mut();
        let running = visits.find(|visit| visit.number == number && now < visit.until);
        let visit = running.ok_or(CheckInError::NotThere)?;
        visit.until = now.max(visit.since);
        Ok(())
    }

    /// The visits, in the order in which they began.
    #[must_use]
    pub fn check_ins(&self) -> &[CheckIn] {
        &self.check_ins
    }

    /// The matches, by day.
    pub fn matches(&self) -> impl Iterator<Item = &VenueMatch> {
        self.matches.iter()
    }

    /// Reads a package of warnings and keeps what met a visit. The package is marked as processed
    /// in the same value.
    ///
    /// # Errors
    /// [`PackageError`]. Nothing has changed then.
    pub fn ingest(
        &mut self,
        package: &WarningPackage<'_>,
        now: Timestamp,
    ) -> Result<PackageReport, PackageError> {
        let digest = *package.digest().as_bytes();
        if self.processed.iter().any(|(known, _)| *known == digest) {
            return Ok(PackageReport { known: true, ..PackageReport::default() });
        }
        let index = self.index();
        let mut report = PackageReport::default();
        let mut found = BTreeSet::new();
        report.unreadable = package.warnings(&mut |warning| {
            report.warnings = report.warnings.saturating_add(1);
            index.look_up(warning, now, &mut report, &mut found);
        })?;
        found.retain(|new| !self.matches.contains(new));
        report.matched = found.len() as u64;
        self.matches.append(&mut found);
        self.processed.push((digest, now));
        let surplus = self.processed.len().saturating_sub(MOST_PACKAGES);
        self.processed.drain(..surplus);
        Ok(report)
    }

    /// Looks one warning up, as [`VenueDiary::ingest`] does; what comes of it is returned only.
    #[must_use]
    pub fn look_up(&self, warning: &ProtectedWarning, now: Timestamp) -> Vec<VenueMatch> {
        let (mut report, mut found) = (PackageReport::default(), BTreeSet::new());
        self.index().look_up(warning, now, &mut report, &mut found);
        found.into_iter().collect()
    }

    fn index(&self) -> Index<'_> {
        let mut index: BTreeMap<[u8; 32], (VenueId, Vec<&CheckIn>)> = BTreeMap::new();
        // Who warned about a visit knows already.
        for visit in self.check_ins.iter().filter(|visit| !visit.submitted) {
            let entry = index.entry(visit.venue.hash());
            entry.or_insert_with(|| (visit.venue, Vec::new())).1.push(visit);
        }
        let own = self.own_warnings.iter().map(|(_, mac)| *mac).collect();
        Index { visits: index, own }
    }

    /// The days of which the user is to be told and has not been, by date.
    #[must_use]
    pub fn to_tell(&self, rules: &VenueRules) -> Vec<UtcDay> {
        let mut seconds: BTreeMap<UtcDay, u64> = BTreeMap::new();
        for matched in self.matches.iter().filter(|matched| rules.counts(matched)) {
            *seconds.entry(matched.day).or_default() += u64::from(matched.seconds);
        }
        let enough = u64::from(rules.tell_from_seconds);
        let days = seconds.into_iter().filter(|(_, seconds)| *seconds >= enough);
        days.map(|(day, _)| day).filter(|day| !self.told.contains(day)).collect()
    }

    /// The user has been told of `day`.
    pub fn told(&mut self, day: UtcDay) {
        self.told.insert(day);
    }

    /// Why the visits of `day` count, by time.
    #[must_use]
    pub fn explain(&self, day: UtcDay, rules: &VenueRules) -> Vec<VenueExplanation> {
        let of_day = self.matches.iter().filter(|matched| matched.day == day);
        let explained = of_day.filter_map(|matched| {
            let visit = self.check_ins.iter().find(|visit| visit.number == matched.check_in)?;
            Some(VenueExplanation {
                venue_type: visit.venue_type,
                label: visit.label.clone(),
                stay: (visit.since, visit.until),
                matched: matched.clone(),
                counts: rules.counts(matched),
            })
        });
        let mut explained: Vec<_> = explained.collect();
        explained.sort_by_key(|explanation| explanation.matched.from);
        explained
    }

    /// Forgets everything that ended before `instant`.
    pub fn forget_before(&mut self, instant: Timestamp) {
        self.check_ins.retain(|visit| visit.until >= instant);
        self.processed.retain(|(_, at)| *at >= instant);
        self.told.retain(|day| *day >= instant.day());
        self.own_warnings.retain(|(day, _)| *day >= instant.day());
        self.matches.retain(|matched| matched.from.saturating_add(matched.seconds) >= instant);
        self.forget_orphans();
    }

    /// Forgets one UTC day: a visit over midnight keeps what lies on other days.
    pub fn forget_day(&mut self, day: UtcDay) {
        let (begins, ends) = (day.start(), day.saturating_add(1).start());
        let mut kept = Vec::new();
        for visit in self.check_ins.drain(..) {
            let before = CheckIn { until: visit.until.min(begins), ..visit.clone() };
            let after = CheckIn { since: visit.since.max(ends), ..visit };
            kept.extend([before, after].into_iter().filter(|part| part.since < part.until));
        }
        self.check_ins = kept;
        self.told.remove(&day);
        self.own_warnings.retain(|(of, _)| *of != day);
        self.matches.retain(|matched| matched.day != day);
        self.forget_orphans();
    }

    fn forget_orphans(&mut self) {
        let known: BTreeSet<_> = self.check_ins.iter().map(|visit| visit.number).collect();
        self.matches.retain(|matched| known.contains(&matched.check_in));
    }
}

impl VenueRules {
    const fn counts(&self, matched: &VenueMatch) -> bool {
        matched.transmission_risk_level >= self.least_transmission_risk_level
    }
}

impl fmt::Debug for VenueDiary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VenueDiary")
            .field("check_ins", &self.check_ins.len())
            .field("matches", &self.matches.len())
            .finish_non_exhaustive()
    }
}

/// Visits by the hash under which their venue is warned about.
struct Index<'a> {
    visits: BTreeMap<[u8; 32], (VenueId, Vec<&'a CheckIn>)>,
    /// What this phone warned about itself is no exposure.
    own: BTreeSet<[u8; 32]>,
}

impl Index<'_> {
    fn look_up(
        &self,
        protected: &ProtectedWarning,
        now: Timestamp,
        report: &mut PackageReport,
        found: &mut BTreeSet<VenueMatch>,
    ) {
        let Some((venue, visits)) = self.visits.get(&protected.venue_hash) else { return };
        if self.own.contains(&protected.mac) {
            return;
        }
        report.of_visited_places = report.of_visited_places.saturating_add(1);
        let Ok(warning) = protected.open(venue) else {
            report.refused = report.refused.saturating_add(1);
            return;
        };
        for visit in visits {
            // A running visit counts as far as it has come.
            let Some((from, to)) = visit.overlap(warning.begins(), warning.ends().min(now)) else {
                continue;
            };
            let mut from = from;
            while from < to {
                let day = from.day();
                let end = to.min(day.saturating_add(1).start());
                let seconds = u32::try_from(end.seconds_since(from)).unwrap_or(0);
                if seconds == 0 {
                    break;
                }
                found.insert(VenueMatch {
                    day,
                    check_in: visit.number,
                    from,
                    seconds,
                    transmission_risk_level: warning.transmission_risk_level(),
                    warning: protected.mac,
                });
                from = end;
            }
        }
    }
}
