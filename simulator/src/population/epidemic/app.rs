//! The app's part of a day: from uploads to phones that find a contact, and from these to people who
//! stay at home.

use rayon::prelude::*;

use super::{Due, EVER_NOTIFIED, Epidemic, HAS_APP, NO_CASE, POSITIVE};
use crate::population::draw::{Purpose, mixed};
use crate::population::meetings::{DayOfMeetings, Meeting};
use crate::population::monitor::Day;
use crate::population::notification::{Notice, Upload, key_file_bytes};
use crate::population::scenario::Scenario;

impl Epidemic<'_> {
    /// Key files, and whose phones find a contact in them.
    pub(super) fn publish(&mut self, due: &mut Due, day: u16, row: &mut Day) {
        if due.uploads.is_empty() {
            return;
        }
        let first = due.uploads.iter().map(|upload| upload.first_key_day).min().unwrap_or(day);
        let days: Vec<_> =
            (first..=day).map(|day| (day, self.networks.day(self.people, day))).collect();
        let this = &*self;
        let found: Vec<Vec<Notice>> = due
            .uploads
            .par_iter()
            .map(|upload| {
                let mut notices = Vec::new();
                for (day, meetings) in &days {
                    if *day >= upload.first_key_day {
                        this.heard(upload, *day, meetings, &mut notices);
                    }
                }
                notices
            })
            .collect();
        row.positives_registered += due.uploads.len() as u64;
        row.keys_published += due.uploads.iter().map(Upload::keys).sum::<u64>();
        row.key_file_bytes += key_file_bytes(&self.scenario.app, row.keys_published);
        for notice in found.into_iter().flatten() {
            if notice.day() == day {
                due.notices.push(notice);
            } else if let Some(later) = self.due.get_mut(usize::from(notice.day())) {
                later.notices.push(notice);
            }
        }
    }

    /// Phones that will call their contact with the uploader on `day` High.
    fn heard(
        &self,
        upload: &Upload,
        day: u16,
        meetings: &DayOfMeetings<'_>,
        notices: &mut Vec<Notice>,
    ) {
        let app = &self.scenario.app;
        let carried = self.seed.on(Purpose::Carried, u32::from(day));
        if !carried.happens(upload.person, app.carry) {
            return;
        }
        let could_be_found = |meeting: &Meeting| {
            let (band, heard) = (mixed(meeting.bits ^ 2), mixed(meeting.bits ^ 3));
            carried.happens(meeting.other, app.carry)
                && self.detection.is_high(meeting.setting, band, heard)
        };
        self.met(upload.person, day, meetings, could_be_found, |meeting| {
            if self.knows(meeting.other, HAS_APP) {
                notices.push(Notice::fetched(app, self.seed, meeting.other, day, upload));
            }
        });
    }

    pub(super) fn notify(&mut self, due: &mut Due, day: u16, row: &mut Day) {
        let Scenario { app, incident, isolation, .. } = self.scenario;
        let mut notices = core::mem::take(&mut due.notices);
        // Of several contacts the latest one counts.
        notices
            .sort_unstable_by_key(|notice| (notice.person, core::cmp::Reverse(notice.contact_day)));
        notices.dedup_by_key(|notice| notice.person);
        let is_broken = incident.from_day <= day && day < incident.to_day;
        let receives = self.seed.always(Purpose::Receives);
        let complies = self.seed.on(Purpose::Complies, u32::from(day));
        for notice in notices {
            let person = notice.person;
            if self.knows(person, POSITIVE) || self.is_gone(person, day) {
                continue;
            }
            if is_broken && !receives.happens(person, incident.receiving_share) {
                row.notices_lost += 1;
                continue;
            }
            row.notified += 1;
            if !self.knows(person, EVER_NOTIFIED) {
                self.facts[person as usize] |= EVER_NOTIFIED;
                row.first_notified += 1;
            }
            row.notified_not_infected += u64::from(self.case_of[person as usize] == NO_CASE);
            row.contact_to_notice_days += u64::from(day - notice.contact_day);
            if !complies.happens(person, app.compliance) {
                continue;
            }
            let stays_from = notice.stays_from(app);
            let counted_from = if isolation.from_contact { notice.contact_day } else { stays_from };
            let last = counted_from.saturating_add(isolation.notice_days);
            if stays_from == day {
                due.stays.push((person, last));
            } else if let Some(later) = self.due.get_mut(usize::from(stays_from)) {
                later.stays.push((person, last));
            }
        }
    }
}
