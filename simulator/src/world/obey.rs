//! What a host does when its engine asks for something.

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::engine::plan::AdvertisePlan;
use chikaku_core::engine::{Input, Output};
use chikaku_core::risk::Assessment;
use chikaku_core::time::RollingPeriod;

use super::{Announcement, Happening, Published, World};
use crate::scenario::{AdversaryKind, Defence};

/// How long a process that died by itself stays away.
const RESTART_SECONDS: u32 = 3600;

impl World<'_> {
    /// Hands a phone's engine an input and does what it asks for.
    pub(super) fn tell(&mut self, phone: usize, input: Input<'_>) {
        let process = self.phones[phone].process_number;
        let outputs = self.phones[phone].handle(input, self.now);
        for output in outputs {
            // A process that has died on the way does nothing further.
            if self.phones[phone].process_number == process {
                self.obey(phone, output);
            }
        }
        if self.phones[phone].process_number != process {
            return;
        }
        // A wake that is due at once would never let the others have their turn.
        if let Some(wake) = self.phones[phone].await_wake(self.now.saturating_add(1)) {
            self.plan(wake, Happening::Wake { phone });
        }
    }

    /// A confirmation, which asks for nothing further.
    fn tell_quietly(&mut self, phone: usize, input: Input<'_>) {
        for output in self.phones[phone].handle(input, self.now) {
            self.obey(phone, output);
        }
    }

    fn obey(&mut self, phone: usize, output: Output) {
        let name = self.scenario.phones[phone].name.as_str();
        match output {
            Output::Advertise(plan) => self.advertise(phone, &plan),
            Output::StopAdvertising => {
                self.trace.record(self.now, name, "silence", &[]);
                self.phones[phone].plan = None;
                self.phones[phone].fall_silent(self.now);
            }
            Output::Scan(plan) => {
                let ends = self.now.saturating_add(plan.seconds);
                let process = self.phones[phone].process_number;
                self.plan(ends, Happening::ScanEnds { phone, started: self.now, process });
            }
            Output::ScanIngested(report) => {
                self.trace.record(self.now, name, "scan", &report.kept.to_be_bytes());
            }
            Output::KeyFileIngested(Ok(report)) => {
                self.trace.record(self.now, name, "matched", &report.keys_matched.to_be_bytes());
            }
            Output::KeyFileIngested(Err(refused)) => {
                self.trace.record(self.now, name, "refused", refused.to_string().as_bytes());
                self.refused_files.push(format!("{name}: {refused}"));
            }
            Output::Disclosed(keys) => {
                self.trace.record(self.now, name, "disclosed", &(keys.len() as u64).to_be_bytes());
                let keys = if self.has(Defence::KeyClosing) { keys } else { left_open(keys) };
                self.published.extend(keys.iter().map(|key| Published {
                    phone,
                    key: key.hash(),
                    day: key.rolling_start().day(),
                }));
                self.server.receive(&keys, self.now);
            }
            Output::DayAssessed(assessment) => {
                let score = assessment.score.to_bits().to_be_bytes();
                self.trace.record(self.now, name, "assessed", &score);
            }
            Output::Announce(assessment) => self.announce(phone, assessment),
            Output::DayRecorded(record) => {
                let scanned = record.minutes_scanned.to_be_bytes();
                self.trace.record(self.now, name, "recorded", &scanned);
            }
            // A new kind of output changes no trace silently.
            other => self.trace.record(self.now, name, "other", format!("{other:?}").as_bytes()),
        }
    }

    fn advertise(&mut self, phone: usize, plan: &AdvertisePlan) {
        let name = self.scenario.phones[phone].name.as_str();
        let payload = plan.payload.to_service_data();
        self.trace.record(self.now, name, "advertise", &payload);
        if !self.phones[phone].has_radio() {
            self.tell_quietly(phone, Input::AdvertisingFailed { plan: plan.number });
            return;
        }
        self.phones[phone].put_on_the_air(plan.payload, self.now);
        self.phones[phone].plan = Some(plan.number);
        let address = if self.has(Defence::AddressRotation) { plan.number } else { 0 };
        let before = self.phones[phone].address.replace(address);
        if before == Some(address) && self.is_watched(phone) {
            self.linkable += 1;
        }
        self.tell_quietly(phone, Input::AdvertisingStarted { plan: plan.number });
    }

    /// Whether a sniffer is listening where the phone is.
    fn is_watched(&self, phone: usize) -> bool {
        self.scenario.adversaries.iter().any(|adversary| {
            let stay = &self.scenario.stays[adversary.stay];
            adversary.kind == AdversaryKind::Sniffer
                && adversary.from <= self.now
                && self.now < adversary.to
                && stay.is_on(self.now)
                && stay.positions.contains_key(&phone)
        })
    }

    fn announce(&mut self, phone: usize, assessment: Assessment) {
        let confirms_first = !self.has(Defence::NoticeConfirmation);
        let day = assessment.day;
        if confirms_first {
            self.tell_quietly(phone, Input::Announced { day });
        }
        if core::mem::take(&mut self.phones[phone].dies_in_notice) {
            self.kill(phone, self.now.saturating_add(RESTART_SECONDS));
            return;
        }
        let name = self.scenario.phones[phone].name.as_str();
        self.trace.record(self.now, name, "announced", &day.days_since_1970().to_be_bytes());
        self.announcements.push(Announcement { phone, at: self.now, assessment });
        if !confirms_first {
            self.tell_quietly(phone, Input::Announced { day });
        }
    }
}

/// Keys as a client publishes them that gives away one that is still in use.
fn left_open(keys: Vec<DiagnosisKey>) -> Vec<DiagnosisKey> {
    let opened = keys.into_iter().map(|key| {
        let (bytes, start) = (*key.as_bytes(), key.rolling_start());
        DiagnosisKey::new(bytes, start, RollingPeriod::DAY, key.details)
    });
    opened.collect()
}
