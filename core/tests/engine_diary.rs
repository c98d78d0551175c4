//! The recuperation diary through the engine: kept, concluded, forgotten.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use chikaku_core::diary::admission::AdmissionFacts;
use chikaku_core::diary::{
    Basis, Entry, EntryError, EscalationLevel, Note, OxygenSaturation, Place, Start, StartError,
};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, Output};
use chikaku_core::local_time::{LocalDate, UtcOffset};
use engine_support::{DAY, Host};

type Phone = Host<MemoryLog>;

fn begin(host: &mut Phone) -> Result<(), StartError> {
    let today = LocalDate::at(host.now, UtcOffset::JAPAN);
    let start = Start {
        basis: Basis::Onset(today),
        place: Place::Hotel,
        utc_offset: UtcOffset::JAPAN,
        facts: AdmissionFacts::default(),
    };
    let outputs = host.tell(Input::BeginDiary(Box::new(start)));
    let begun = outputs.iter().find_map(|output| match output {
        Output::DiaryBegun(outcome) => Some(*outcome),
        _ => None,
    });
    begun.unwrap()
}

fn enter(host: &mut Phone, percent: u8) -> Result<EscalationLevel, EntryError> {
    let entry = Entry {
        oxygen_saturation: Some(OxygenSaturation::from_percent(percent).unwrap()),
        note: Some(Note::try_from("slept badly".to_owned()).unwrap()),
        ..Entry::at(host.now)
    };
    let outputs = host.tell(Input::DiaryEntry(Box::new(entry)));
    assert!(!format!("{outputs:?}").contains("slept"));
    let updated = outputs.into_iter().find_map(|output| match output {
        Output::DiaryUpdated(outcome) => Some(outcome),
        _ => None,
    });
    updated.unwrap().map(|escalation| escalation.level)
}

fn entries(host: &mut Phone) -> Option<usize> {
    let clocks = host.clocks();
    host.engine.diary(clocks).unwrap().map(|diary| diary.entries().len())
}

#[test]
fn a_recuperation_from_its_beginning_to_the_day_it_is_forgotten() {
    let mut host = Host::new(MemoryLog::new(), 1);
    assert_eq!(enter(&mut host, 98), Err(EntryError::NoDiary));
    begin(&mut host).unwrap();
    assert_eq!(enter(&mut host, 98), Ok(EscalationLevel::None));
    host.pass(12 * 3_600);
    assert_eq!(enter(&mut host, 95), Ok(EscalationLevel::Emergency));
    // The process dies; the diary does not.
    let mut host = host.restarted_over(host.engine.log().clone());
    assert_eq!(entries(&mut host), Some(2));
    let shown = format!("{:?} {:?}", host.engine, host.engine.log());
    assert!(!shown.contains("slept"), "{shown}");

    // Sixteen days later all entries are older than fourteen days, and the diary is whole.
    host.now = DAY.saturating_add(16).start();
    host.tell(Input::Wake);
    assert_eq!(entries(&mut host), Some(2));
    let clocks = host.clocks();
    let ends = host.engine.diary(clocks).unwrap().unwrap().ends_at();
    host.now = ends.saturating_add(14 * 86_400);
    host.tell(Input::Wake);
    assert_eq!(entries(&mut host), Some(2));
    host.pass(1);
    assert_eq!(entries(&mut host), None);
    host.tell(Input::Wake);
    assert_eq!(host.engine.log().diary().unwrap(), None);
}

#[test]
fn a_forgotten_day_and_everything() {
    let mut host = Host::new(MemoryLog::new(), 1);
    begin(&mut host).unwrap();
    enter(&mut host, 98).unwrap();
    host.now = DAY.saturating_add(1).start();
    enter(&mut host, 97).unwrap();
    host.tell(Input::ForgetDay(DAY));
    assert_eq!(entries(&mut host), Some(1));
    let late = Entry {
        oxygen_saturation: Some(OxygenSaturation::from_percent(97).unwrap()),
        ..Entry::at(DAY.start().saturating_add(60))
    };
    let outputs = host.tell(Input::DiaryEntry(Box::new(late)));
    let refused =
        |output: &Output| matches!(output, Output::DiaryUpdated(Err(EntryError::ForgottenDay)));
    assert!(outputs.iter().any(refused), "{outputs:?}");
    host.tell(Input::ForgetEverything);
    assert_eq!(entries(&mut host), None);
}
