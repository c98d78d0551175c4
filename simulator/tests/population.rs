//! A population with an app, through the library as the command uses it.

#![allow(clippy::unwrap_used, reason = "a failure ends the test")]

use std::fs;
use std::path::Path;

use chikaku_simulator::population::detection::DetectionTable;
use chikaku_simulator::population::page::{self, ArmOnPage};
use chikaku_simulator::population::{self, Arm, Day, Monitor, Scenario, sweep};

/// Small, with an epidemic that is felt.
fn town() -> Scenario {
    let mut scenario = Scenario::openabm().unwrap();
    scenario.people = 4_000;
    scenario.days = 70;
    scenario.first_infections = 40;
    scenario
}

fn with_app(adoption: f64) -> Arm {
    Arm { adoption: Some(adoption), ..Arm::default() }
}

fn days(scenario: &Scenario, arm: &Arm, seed: u64) -> Monitor {
    population::run(&scenario.with(arm), seed).unwrap().monitor
}

/// Everything that does not speak of the app itself.
fn epidemic(day: &Day) -> [u64; 8] {
    [
        day.infections,
        day.new_cases,
        day.tests,
        day.deaths,
        day.hospital_need,
        day.isolated,
        day.isolated_not_infected,
        day.waiting,
    ]
}

#[test]
fn without_adoption_or_without_reports_the_epidemic_is_the_same() {
    let scenario = town();
    let none = days(&scenario, &with_app(0.0), 3);
    assert!(none.sum(|day| day.infections) > 400, "there is an epidemic");
    assert_eq!(none.sum(|day| day.notified + day.positives_registered), 0);
    for arm in [
        Arm { carry: Some(0.3), compliance: Some(1.0), ..with_app(0.0) },
        Arm { report: Some(0.0), ..with_app(1.0) },
        Arm { carry: Some(0.0), ..with_app(1.0) },
        Arm { receiving_share: Some(0.0), compliance: Some(0.0), ..with_app(1.0) },
    ] {
        let same = days(&scenario, &arm, 3);
        for (one, other) in none.days.iter().zip(&same.days) {
            assert_eq!(epidemic(one), epidemic(other), "{arm:?}");
        }
    }
}

#[test]
fn the_app_helps_and_has_its_price() {
    let scenario = town();
    let (mut without, mut with) = (0, 0);
    let (mut price_without, mut price_with) = (0, 0);
    for seed in 1..=3 {
        let none = days(&scenario, &with_app(0.0), seed);
        let all = days(&scenario, &with_app(1.0), seed);
        without += none.sum(|day| day.infections);
        with += all.sum(|day| day.infections);
        price_without += none.sum(|day| day.isolated_not_infected);
        price_with += all.sum(|day| day.isolated_not_infected);
    }
    assert!(with * 10 < without * 9, "{with} infections instead of {without}");
    assert!(price_with > price_without, "{price_with} days instead of {price_without}");
}

#[test]
fn one_seed_gives_the_same_days_on_any_number_of_threads() {
    let mut scenario = town();
    scenario.days = 50;
    let digest = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| days(&scenario, &with_app(0.8), 5).digest())
    };
    let one = digest(1);
    assert_eq!(one, digest(3));
    assert_ne!(one, days(&scenario, &with_app(0.8), 6).digest());
    // On any machine, and in any version that does not change the model: whoever changes this line
    // changes every published figure of a seed, and says so in the changelog.
    assert_eq!(one, "ea7df3049e37b9e4398fa5df8858199591ecd1497232cd66edb81c7eae6e49e4");
}

/// Nothing of the committed table is lost on the way in, and a longer contact is not found less often.
#[test]
fn the_table_of_detection_is_whole() {
    let table = DetectionTable::measured();
    let header = "profile,environment,distance_m,minutes,pairs,high";
    let text = include_str!("../populations/detection.csv");
    let lines = text.lines().filter(|line| !line.starts_with('#') && *line != header);
    assert_eq!(table.rows.len(), lines.count());
    assert_eq!(table.rows.len(), 120);
    assert_eq!(table.to_csv(), text);
    for row in &table.rows {
        assert!(row.pairs >= 200 && row.high <= row.pairs, "{row:?}");
        let longer = table.rows.iter().filter(|other| {
            other.environment == row.environment
                && other.distance_m.total_cmp(&row.distance_m).is_eq()
                && other.minutes > row.minutes
        });
        for longer in longer {
            assert!(longer.high >= row.high, "{row:?} and {longer:?}");
        }
    }
}

/// Phones that receive nothing take their share of the notices away, and of the effect.
#[test]
fn an_incident_takes_what_the_receiving_share_says() {
    let mut scenario = town();
    (scenario.incident.from_day, scenario.incident.to_day) = (0, scenario.days);
    let arm = |share| Arm { receiving_share: Some(share), ..with_app(1.0) };
    let (mut shown, mut lost) = (0, 0);
    let mut infections = [0; 3];
    for seed in 1..=3 {
        let some = days(&scenario, &arm(0.3), seed);
        shown += some.sum(|day| day.notified);
        lost += some.sum(|day| day.notices_lost);
        for (sum, share) in infections.iter_mut().zip([0.0, 0.3, 1.0]) {
            *sum += days(&scenario, &arm(share), seed).sum(|day| day.infections);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let share = shown as f64 / (shown + lost) as f64;
    assert!((share - 0.3).abs() < 0.03, "{share} of {} notices were shown", shown + lost);
    let [none, some, all] = infections;
    assert!(all < some && some < none, "{infections:?}");
    assert!(none - some < (none - all) * 6 / 10, "the smaller part of the effect: {infections:?}");
}

#[test]
fn notices_come_with_their_delays() {
    let scenario = town();
    let mean = |arm: &Arm| {
        let monitor = days(&scenario, arm, 2);
        let notified = monitor.sum(|day| day.notified);
        assert!(notified > 100, "{notified}");
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let days = monitor.sum(|day| day.contact_to_notice_days) as f64 / notified as f64;
        days
    };
    let at_once = mean(&with_app(1.0));
    let late = mean(&Arm { delay_hours: Some(48), ..with_app(1.0) });
    assert!(late > at_once + 0.5, "{late} days instead of {at_once}");
}

#[test]
fn the_board_has_its_columns_and_a_page_of_its_own() {
    let mut scenario = town();
    scenario.hospital.moderate_beds_per_100_000 = 50.0;
    let monitor = days(&scenario, &with_app(0.5), 1);
    let frame = monitor.frame("half, and more");
    let csv = frame.to_csv();
    assert!(csv.starts_with(
        "arm,date,new_cases,tests,positives_registered,notified,home,hotel,moderate_beds_used,\
         moderate_beds_total,severe_beds_used,severe_beds_total,waiting,"
    ));
    assert!(csv.contains("\n\"half, and more\",2020-01-01,"));
    assert_eq!(csv.lines().count(), 71);
    let parquet = frame.to_parquet().unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    assert!(monitor.days.iter().all(|day| day.moderate_beds_used <= day.moderate_beds_total));
    assert!(monitor.peak(|day| day.waiting) > 0, "two beds do not suffice");
    assert!(monitor.sum(|day| day.diary_minutes_saved) > 0);

    let arms = [ArmOnPage { name: "<half>", monitor: &monitor }];
    let page = page::board("Board", "of a test", &arms);
    assert!(page.contains("&lt;half&gt;") && page.contains("prefers-color-scheme:dark"));
    for foreign in ["http", "<script", "<half>", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_sweep_goes_on_where_it_was_stopped() {
    let mut scenario = town();
    scenario.people = 1_500;
    scenario.days = 40;
    scenario.sweep.adoption = vec![0.0, 0.5, 1.0];
    scenario.sweep.carry = vec![0.9];
    scenario.sweep.report = vec![1.0];
    scenario.sweep.seeds = vec![1, 2];
    let folder = tempfile::tempdir().unwrap();
    let first = sweep::run(&scenario, folder.path(), || ()).unwrap();
    assert_eq!(first.len(), 6);

    let kept = folder.path().join(sweep::points(&scenario)[2].partition());
    let lost = folder.path().join(sweep::points(&scenario)[3].partition());
    // What is there is taken as it is: a row of another seed shows that it was not run again.
    fs::copy(&lost, &kept).unwrap();
    fs::remove_file(&lost).unwrap();
    let second = sweep::run(&scenario, folder.path(), || ()).unwrap();
    assert_eq!(second[2], first[3], "kept");
    assert_eq!(second[3], first[3], "run again, with the same row");
    assert_eq!(unfinished(folder.path()), 0);

    let benefits = sweep::benefits(&first);
    assert_eq!(benefits.iter().map(|benefit| benefit.seeds).collect::<Vec<_>>(), [2, 2]);
    assert!(benefits[1].additional_days_not_infected_per_100_000.mean > 0.0);

    // More seeds go on in the same folder; another epidemic would be mixed with the old one.
    scenario.sweep.seeds.push(3);
    assert_eq!(sweep::run(&scenario, folder.path(), || ()).unwrap().len(), 9);
    let mut other = scenario.clone();
    other.disease.infectious_rate += 0.1;
    let error = sweep::run(&other, folder.path(), || ()).unwrap_err().to_string();
    assert!(error.contains("scenario.toml") && error.contains("another folder"), "{error}");

    fs::write(&kept, b"no partition").unwrap();
    let error = sweep::run(&scenario, folder.path(), || ()).unwrap_err().to_string();
    assert!(error.contains("arm=0001") && error.contains("no partition"), "{error}");
}

fn unfinished(folder: &Path) -> usize {
    let files = fs::read_dir(folder.join("arm=0001")).unwrap();
    files.filter(|file| file.as_ref().unwrap().path().extension().unwrap() != "parquet").count()
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_its_place() {
    for (text, place) in [
        ("[app]\nadoption = 1.5", "app.adoption is 1.5"),
        ("[app]\ncary = 1.0", "cary"),
        ("people = 3", "people is 3"),
        ("starts = \"2021-02-30\"", "2021-02-30"),
        ("[disease]\nfatal = [1, 1, 1, 1, 1, 1, 1, 1, -1]", "disease.fatal is -1"),
        ("base = \"opnabm\"", "base is \"opnabm\""),
        ("[app]\nprofile = \"unheard-of\"", "unheard-of"),
        ("[contacts]\nrandom = []", "contacts.random"),
    ] {
        let error = Scenario::parse(text).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
