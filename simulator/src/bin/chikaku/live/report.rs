//! What a live node says: lines for people, or one JSON object a line for machines. Identifiers
//! only if asked for.

use core::error::Error;
use std::collections::BTreeSet;
use std::path::Path;

use chikaku_core::encounter_log::Exposure;
use chikaku_core::engine::Output;
use chikaku_core::sighting::ScanResult;
use chikaku_core::signal::RssiDbm;
use chikaku_core::status::{Reason, State, Status};
use chikaku_core::time::Timestamp;
use chikaku_radio::node::NodeEvent;
use chikaku_radio::radio::ReportSource;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{complain, say};
use crate::windows;

pub(super) struct Report {
    json: bool,
    show_identifiers: bool,
    last: Option<(State, BTreeSet<Reason>)>,
}

impl Report {
    pub(super) const fn new(json: bool, show_identifiers: bool) -> Self {
        Self { json, show_identifiers, last: None }
    }

    pub(super) fn started(&self, adapter: u16, store: Option<&Path>) {
        if !self.json {
            let kept = store.map_or_else(
                || "It keeps everything in memory.".to_owned(),
                |store| format!("Its encounter log is {}.", store.display()),
            );
            say!("a node on hci{adapter}; Ctrl-C ends it. {kept}");
        }
    }

    pub(super) fn log_failed(&self, error: &dyn Error, at: Timestamp) {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            reason.push_str(&format!(": {error}"));
            source = error.source();
        }
        self.say(at, "log_failed", &json!({"reason": reason}), &reason);
    }

    pub(super) fn stopped(&self, at: Timestamp) {
        self.say(at, "stopped", &json!({}), "nothing is on the air any more");
    }

    pub(super) fn event(&self, event: &NodeEvent, at: Timestamp) {
        match event {
            NodeEvent::Output(output) => self.output(output, at),
            NodeEvent::Condition(condition) => {
                let condition = format!("{condition:?}");
                self.say(at, "radio", &json!({"condition": condition}), &condition);
            }
            NodeEvent::AdvertisingStarted { plan } => {
                self.say(at, "advertising", &json!({"plan": plan}), &format!("plan {plan}"));
            }
            NodeEvent::AdvertisingFailed { plan, reason } => {
                let fields = json!({"plan": plan, "reason": reason.to_string()});
                self.say(at, "advertising_failed", &fields, &format!("plan {plan}: {reason}"));
            }
            NodeEvent::Scanned { result, source } => self.scanned(result, *source, at),
            NodeEvent::ScanFailed { reason } => {
                let reason = reason.to_string();
                self.say(at, "scan_failed", &json!({"reason": reason}), &reason);
            }
            NodeEvent::RadioEnded => self.say(at, "radio_ended", &json!({}), ""),
            _ => {}
        }
    }

    fn output(&self, output: &Output, at: Timestamp) {
        match output {
            Output::Advertise(plan) => {
                let mut fields = json!({"plan": plan.number, "until": plan.until.unix_seconds()});
                if self.show_identifiers {
                    fields["payload"] = hex::encode(plan.payload.to_service_data()).into();
                }
                self.quiet(at, "advertise", &fields);
            }
            Output::StopAdvertising => self.quiet(at, "stop_advertising", &json!({})),
            Output::AdvertisingSuspended { until } => {
                let fields = json!({"until": until.unix_seconds()});
                self.say(at, "advertising_suspended", &fields, "the clock was set back");
            }
            Output::Scan(plan) => self.quiet(at, "scan", &json!({"seconds": plan.seconds})),
            Output::ScanIngested(report) => {
                let report = serde_json::to_value(report).unwrap_or_default();
                self.quiet(at, "ingested", &report);
            }
            Output::KeyFileIngested(Ok(report)) => {
                let text = format!("{report:?}");
                self.say(at, "key_file", &json!({"report": text}), &text);
            }
            Output::KeyFileIngested(Err(error)) => {
                let text = error.to_string();
                self.say(at, "key_file_refused", &json!({"reason": text}), &text);
            }
            Output::Disclosed(keys) => {
                let text = format!("{} keys", keys.len());
                self.say(at, "disclosed", &json!({"keys": keys.len()}), &text);
            }
            Output::DayAssessed(assessment) => {
                let fields = json!({
                    "day": assessment.day.to_string(),
                    "level": format!("{:?}", assessment.level),
                });
                let text = format!("{}: {:?}", assessment.day, assessment.level);
                self.say(at, "day_assessed", &fields, &text);
            }
            Output::Announce(assessment) => {
                let day = assessment.day.to_string();
                self.say(at, "announce", &json!({"day": day}), &format!("contact on {day}"));
            }
            Output::DayRecorded(record) => {
                let fields = serde_json::to_value(record).unwrap_or_default();
                let text = format!(
                    "{}: {} of {} minutes covered by scans",
                    record.date, record.minutes_scanned, record.minutes_planned
                );
                self.say(at, "day_recorded", &fields, &text);
            }
            _ => {}
        }
    }

    fn scanned(&self, scan: &ScanResult, source: ReportSource, at: Timestamp) {
        let identifiers: BTreeSet<_> =
            scan.received.iter().map(|received| received.advertisement.identifier).collect();
        let strongest = scan.received.iter().filter_map(|received| received.rssi).max();
        let seconds = scan.ended.seconds_since(scan.started);
        let source = match source {
            ReportSource::Controller => "controller",
            ReportSource::Service => "bluez",
            ReportSource::FilteredService => "bluez, repetitions filtered",
            _ => "unknown",
        };
        let mut fields = json!({
            "started": scan.started.unix_seconds(),
            "ended": scan.ended.unix_seconds(),
            "source": source,
            "identifiers": identifiers.len(),
            "advertisements": scan.received.len(),
            "malformed": scan.malformed,
            "strongest_dbm": strongest.map(RssiDbm::dbm),
        });
        let mut text = format!(
            "{} identifiers around, {} advertisements in {seconds} s ({source})",
            identifiers.len(),
            scan.received.len()
        );
        if let Some(strongest) = strongest {
            text.push_str(&format!(", strongest {} dBm", strongest.dbm()));
        }
        if self.show_identifiers {
            let heard: Vec<_> = scan
                .received
                .iter()
                .map(|received| {
                    json!([
                        received.heard_at.unix_seconds(),
                        hex::encode(received.advertisement.identifier.as_bytes()),
                        received.rssi.map(RssiDbm::dbm),
                    ])
                })
                .collect();
            fields["heard"] = heard.into();
            for identifier in &identifiers {
                text.push_str(&format!("\n    {}", hex::encode(identifier.as_bytes())));
            }
        }
        self.say(at, "scanned", &fields, &text);
    }

    pub(super) fn exposures(&self, exposures: &[Exposure], at: Timestamp) {
        let windows: Vec<_> =
            exposures.iter().flat_map(|exposure| &exposure.windows).map(windows::to_json).collect();
        let text = format!("{} keys heard, {} windows", exposures.len(), windows.len());
        let fields = json!({"keys": exposures.len(), "windows": windows});
        self.say(at, "exposures", &fields, &text);
    }

    pub(super) fn status_if_changed(&mut self, status: &Status, at: Timestamp) {
        let now = (status.state, status.reasons.clone());
        if self.last.as_ref() != Some(&now) {
            self.status(status, at);
            self.last = Some(now);
        }
    }

    pub(super) fn status(&self, status: &Status, at: Timestamp) {
        let codes: Vec<_> = status.reasons.iter().map(Reason::code).collect();
        let text = format!("{:?}: {}", status.state, codes.join(", "));
        self.say(at, "status", &serde_json::to_value(status).unwrap_or_default(), &text);
    }

    pub(super) fn command(&self, command: &str, failure: Option<&Failure>) {
        match failure {
            Some(failure) => complain(&format_args!("{command}: {failure}")),
            None if self.json => say!("{}", json!({"event": "done", "command": command})),
            None => {}
        }
    }

    /// For machines only: people need not see every order.
    fn quiet(&self, at: Timestamp, event: &str, fields: &Value) {
        if self.json {
            self.say(at, event, fields, "");
        }
    }

    fn say(&self, at: Timestamp, event: &str, fields: &Value, text: &str) {
        if self.json {
            let mut line = fields.clone();
            line["event"] = event.into();
            line["at"] = at.unix_seconds().into();
            say!("{line}");
        } else {
            let time = jiff::Timestamp::from_second(at.unix_seconds())
                .map(|time| time.strftime("%H:%M:%S").to_string())
                .unwrap_or_default();
            say!("{time} {event:<12} {text}");
        }
    }
}
