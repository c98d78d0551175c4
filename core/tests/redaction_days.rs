//! Whole days through the engine, and no eight bytes of a secret in anything it says.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use std::fmt::Write as _;

use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::status::HostFacts;
use engine_support::{DAY, Host, disclosed, disclosure, key_file, plan_of};

/// Everything that may be shown to anybody, and everything that must not be in it.
#[derive(Default)]
struct Said {
    text: String,
    secrets: Vec<Vec<u8>>,
}

impl Said {
    fn note(&mut self, output: &Output) {
        // Plans go to the radio and disclosed keys to the server; their Debug goes to a log.
        write!(self.text, "{output:?} {output:#?}").unwrap();
        if let Output::Advertise(plan) = output {
            self.secrets.push(plan.payload.identifier.as_bytes().to_vec());
            self.secrets.push(plan.payload.to_service_data().to_vec());
        }
    }

    fn own(&mut self, key: &TemporaryExposureKey) {
        self.secrets.push(key.secret_bytes().to_vec());
    }

    fn everything_about(&mut self, host: &mut Host<MemoryLog>) {
        let clocks = host.clocks();
        for key in host.engine.log().own_keys().unwrap() {
            self.own(&key);
        }
        host.engine
            .log()
            .visit_sightings(&mut |s| self.secrets.push(s.advertisement.to_service_data().to_vec()))
            .unwrap();
        let status = host.engine.status(HostFacts::default(), clocks);
        let explanations = host.engine.explanations(clocks).unwrap();
        let record = host.engine.log().engine_record().unwrap().unwrap();
        for json in [
            serde_json::to_string(&status).unwrap(),
            serde_json::to_string(&explanations).unwrap(),
            serde_json::to_string(&host.engine.assessed(clocks).unwrap()).unwrap(),
            serde_json::to_string(&record).unwrap(),
            serde_json::to_string(&host.engine.day(DAY, clocks).unwrap()).unwrap(),
        ] {
            self.text.push_str(&json);
        }
        for day in 0..3 {
            let silences = host.engine.explain_silence(DAY.saturating_add(day), clocks).unwrap();
            self.text.push_str(&serde_json::to_string(&silences).unwrap());
            write!(self.text, "{silences:?}").unwrap();
        }
        let (engine, log) = (&host.engine, host.engine.log());
        let exposures = engine.exposures(clocks).unwrap();
        write!(self.text, "{engine:?}{log:#?}{status:?}{explanations:?}{exposures:#?}").unwrap();
        write!(self.text, "{:?}{:?}", log.audit().unwrap(), log.live_keys().unwrap()).unwrap();
    }

    /// Fails if eight bytes in a row of any secret can be read from the text: as hexadecimal, as
    /// base64 of any alignment, or as a list of numbers.
    fn assert_nothing_is_given_away(&self) {
        // Lists of numbers in any layout become one line, so that the search is a plain one.
        let folded: String = self.text.to_lowercase().split_whitespace().collect();
        for secret in &self.secrets {
            for run in secret.windows(8) {
                let list = run.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let separated = run.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>();
                for shown in [hex::encode(run), list, separated.join(":"), separated.join(",")] {
                    assert!(!folded.contains(&shown), "{} characters of a secret", shown.len());
                }
            }
        }
    }
}

#[test]
fn c9_no_secret_in_anything_that_is_said_over_days() {
    let mut said = Said::default();
    let mut patient = Host::new(MemoryLog::new(), 1);
    let mut phone = Host::new(MemoryLog::new(), 2);
    for host in [&mut patient, &mut phone] {
        host.tell(Input::Start).iter().for_each(|output| said.note(output));
    }
    let mut payload = plan_of(&restarted(&mut patient)).unwrap().payload;
    for scan in 0..60 {
        patient.now = phone.now;
        let outputs = patient.tell(Input::Wake);
        outputs.iter().for_each(|output| said.note(output));
        payload = plan_of(&outputs).map_or(payload, |plan| plan.payload);
        let heard = phone.hear(payload, if scan % 2 == 0 { -77 } else { -95 });
        heard.iter().for_each(|output| said.note(output));
    }
    patient.now = DAY.saturating_add(1).start();
    phone.now = patient.now;
    patient.tell(Input::Wake);
    let keys = disclosed(patient.tell(disclosure()));
    for key in &keys {
        said.secrets.push(key.as_bytes().to_vec());
        write!(said.text, "{key:?} {key:#?} {}", key.hash()).unwrap();
    }
    let file = key_file(keys);
    let mut broken = file.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    for bytes in [&broken[..], &file, &file[..file.len() - 9], b"PK"] {
        let input = Input::KeyFile(KeyFile::without_cursor(bytes));
        write!(said.text, "{input:?}").unwrap();
        for output in phone.tell(input) {
            if let Output::KeyFileIngested(Err(error)) = &output {
                write!(said.text, "{error} {error:?}").unwrap();
            }
            said.note(&output);
        }
    }
    for host in [&mut patient, &mut phone] {
        said.everything_about(host);
    }
    assert!(said.secrets.len() > 100 && said.text.len() > 20_000);
    said.assert_nothing_is_given_away();

    // The search finds what is there.
    let secret = said.secrets[0].clone();
    said.text.push_str(&hex::encode(&secret[3..12]));
    let found = std::panic::catch_unwind(|| said.assert_nothing_is_given_away());
    assert!(found.is_err());
}

fn restarted(host: &mut Host<MemoryLog>) -> Vec<Output> {
    host.tell(Input::Stop);
    host.tell(Input::Start)
}
