//! Things that go wrong, and how a host meets them.

use chikaku_core::engine::{Input, NewConfiguration};
use chikaku_core::status::HostFact;
use chikaku_core::time::Timestamp;

use super::foreign::injected_key;
use super::phone::Process;
use super::{Happening, World, with_minimum};
use crate::scenario::{Defence, FaultKind};

/// A minimum that no contact reaches.
const UNREACHABLE_SCORE: f64 = 1e9;

impl World<'_> {
    pub(super) fn fault_begins(&mut self, number: usize) {
        let fault = self.fault(number);
        let text = format!("{fault:?}");
        self.trace.record(self.now, "world", "fault", text.as_bytes());
        match fault {
            FaultKind::ClockSet { phone, seconds } => {
                self.phones[phone].set_clock_by(seconds);
                self.wake(phone);
            }
            FaultKind::TrustedTime { phone } => {
                if self.has(Defence::TrustedTime) && self.is_running(phone) {
                    self.tell(phone, Input::TrustedTime(self.now));
                }
            }
            FaultKind::Reboot { phone, until } => {
                self.kill(phone, until);
                self.phones[phone].boot(until);
            }
            FaultKind::ProcessKilled { phone, until } => self.kill(phone, until),
            FaultKind::Missing { phone, what, until } => {
                self.phones[phone].set_missing(what, true);
                if !self.phones[phone].has_radio() {
                    self.phones[phone].fall_silent(self.now);
                    if let Some(plan) = self.phones[phone].plan.take() {
                        self.tell(phone, Input::AdvertisingFailed { plan });
                    }
                }
                self.plan(until, Happening::FaultEnds { number });
            }
            FaultKind::ScansLost { phone, until } => {
                self.phones[phone].loses_scans += 1;
                self.plan(until, Happening::FaultEnds { number });
            }
            FaultKind::DownloadsFail { phone, until } => {
                self.phones[phone].downloads_fail += 1;
                self.plan(until, Happening::FaultEnds { number });
            }
            FaultKind::FilesLost { until } => {
                self.files_get_lost += 1;
                self.plan(until, Happening::FaultEnds { number });
            }
            FaultKind::KilledInDownload { phone } => self.phones[phone].dies_in_download = true,
            FaultKind::KilledInNotice { phone } => self.phones[phone].dies_in_notice = true,
            FaultKind::PoisonedFile { content } => {
                let mut rng = self.air.randomness.stream("poison", &[&number.to_string()]);
                if let Err(error) = self.server.poison(content, self.now, &mut rng) {
                    self.refused_files.push(format!("server: {error}"));
                }
            }
            FaultKind::SilentConfiguration { phone } => self.configure_silence(phone),
        }
    }

    pub(super) fn fault_ends(&mut self, number: usize) {
        match self.fault(number) {
            FaultKind::Missing { phone, what, .. } => {
                self.phones[phone].set_missing(what, false);
                if what != HostFact::Notifications {
                    self.wake(phone);
                }
            }
            FaultKind::ScansLost { phone, .. } => self.phones[phone].loses_scans -= 1,
            FaultKind::DownloadsFail { phone, .. } => self.phones[phone].downloads_fail -= 1,
            FaultKind::FilesLost { .. } => self.files_get_lost -= 1,
            _ => {}
        }
    }

    /// The process dies, and starts again later.
    pub(super) fn kill(&mut self, phone: usize, until: Timestamp) {
        self.phones[phone].die(self.now);
        let process = self.phones[phone].process_number;
        self.plan(until, Happening::Restart { phone, process });
    }

    pub(super) fn restart(&mut self, phone: usize) {
        let durable = self.has(Defence::DurableLog);
        self.phones[phone].reopen(durable);
        self.tell(phone, Input::Start);
    }

    pub(super) fn offer_foreign_file(&mut self, adversary: usize) {
        let key =
            injected_key(self.air.randomness, adversary, &self.scenario.adversaries[adversary]);
        if let Err(error) = self.server.offer_untrusted(vec![key], self.now) {
            self.refused_files.push(format!("server: {error}"));
        }
    }

    fn configure_silence(&mut self, phone: usize) {
        let profile = with_minimum(UNREACHABLE_SCORE);
        if !self.has(Defence::ConfigurationCheck) {
            self.phones[phone].take_unchecked(profile);
            self.tell(phone, Input::Start);
            return;
        }
        let json = serde_json::to_string(&profile).unwrap_or_default();
        if self.is_running(phone) {
            self.tell(phone, Input::Configure(NewConfiguration { json: &json, version: None }));
        }
    }

    fn is_running(&self, phone: usize) -> bool {
        self.phones[phone].process == Process::Running
    }

    fn wake(&mut self, phone: usize) {
        if self.is_running(phone) {
            self.tell(phone, Input::Wake);
        }
    }
}
