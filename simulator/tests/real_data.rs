//! The whole chain on real data: what Google's implementation computed on real phones, published
//! vectors, a real contact database, COCOA's documents.
//!
//! The data are not part of the project. `CHIKAKU_DATA` names their folder; without it the trials
//! are skipped, except in continuous integration, where that is a failure.

#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use assert_cmd::Command;
use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::risk::Infectiousness;
use chikaku_core::risk::cocoa::RiskCalculationConfiguration;
use chikaku_core::risk::daily_summary::DailySummariesConfig;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use chikaku_radio::capture::ScanningHost;
use chikaku_simulator::fidelity::Tracks;
use chikaku_simulator::replay::{ReplayOptions, replay};
use chikaku_simulator::scenario::{Motion, Scenario, Stay, camera_tracks, contact_network};
use chikaku_simulator::world::World;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

type Outcome = Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let folder = env::var_os("CHIKAKU_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let missing = !folder.is_dir();
    if missing {
        eprintln!("NO DATA: {} is not a folder; set CHIKAKU_DATA.", folder.display());
    }
    let skipped = missing && env::var_os("CI").is_none();
    let trial = |name: &str, test: fn(&Path) -> Outcome| {
        let folder = folder.clone();
        Trial::test(name, move || test(&folder)).with_ignored_flag(skipped)
    };
    let trials = vec![
        trial("published_identifiers_and_metadata", published_identifiers_and_metadata),
        trial("windows_of_real_phones", windows_of_real_phones),
        trial("radio_model_against_real_phones", radio_model_against_real_phones),
        trial("near_and_far_on_real_phones", near_and_far_on_real_phones),
        trial("a_recorded_day_at_school", a_recorded_day_at_school),
        trial("a_party_as_cameras_saw_it", a_party_as_cameras_saw_it),
        trial("contact_database_and_demo_keys", contact_database_and_demo_keys),
        trial("signed_samples_inspect_as_valid", signed_samples_inspect_as_valid),
        trial("cocoa_production_documents", cocoa_production_documents),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn json(path: &Path) -> Result<Value, Failed> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn expect(condition: bool, otherwise: String) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise.into()) }
}

/// Per scan instance the estimator beats the plain threshold and every other rule.
fn near_and_far_on_real_phones(data: &Path) -> Outcome {
    let experiment = data.join("dp3t-bt-measurements/exp34-epfl-soldiers");
    let mut command = Command::cargo_bin("chikaku")?;
    command.arg("replay").arg("--captures").arg(experiment.join("pcaps")).arg("--truth");
    for zip in ["0_lunch", "2_coworking", "4_party"] {
        command.arg(experiment.join(format!("computer-vision/{zip}.zip")));
    }
    let output = command.arg("--json").output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let rows = found["rules"].as_array().ok_or("no rules")?;
    assert_eq!(rows.len(), 10 * 2 * 2);
    let figure = |rule: &str, per: &str, limit: f64, what: &str| {
        let of = |row: &&Value| row["rule"] == rule && row["per"] == per && row["limit_m"] == limit;
        rows.iter().find(of).and_then(|row| row[what].as_f64()).unwrap_or(f64::NAN)
    };
    let scan = |rule, what| figure(rule, "scan_instance", 1.5, what);
    eprintln!(
        "proximity, per scan instance: AUC {:.3}, best F1 {:.3}, as shipped {:.3}",
        scan("proximity", "auc"),
        scan("proximity", "best_f1"),
        scan("proximity", "shipped_f1")
    );
    assert!(scan("proximity", "auc") > 0.71);
    for other in ["typical attenuation", "gaen", "cocoa-v2", "cwa", "monotone"] {
        assert!(scan("proximity", "auc") > scan(other, "auc") + 0.01, "{other}");
    }
    // Twelve pairs of 118 were near: enough to see a broken rule, not to tell good ones apart.
    assert!(figure("proximity", "pair", 1.5, "auc") > 0.745);
    Ok(())
}

/// The radio model is about as close to a phone as another phone of its model is.
fn radio_model_against_real_phones(folder: &Path) -> Outcome {
    let experiment = folder.join("dp3t-bt-measurements/exp34-epfl-soldiers");
    let position = |name: &str| experiment.join("computer-vision").join(name);
    let output = Command::cargo_bin("chikaku")?
        .args(["validate", "--json", "--captures"])
        .arg(experiment.join("pcaps"))
        .arg("--positions")
        .args(["0_lunch.zip", "2_coworking.zip", "4_party.zip"].map(position))
        .output()?;
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    expect(rows.len() == 15, format!("{} rows", rows.len()))?;
    let within = |row: &&Value| {
        let distance = |name: &str| row[name].as_f64();
        distance("model_to_phone")
            .zip(distance("phone_to_phone"))
            .is_some_and(|(model, phone)| model <= phone)
    };
    // How strong a scan is, and how much it scatters, must hold everywhere.
    for row in &rows {
        let statistic = row["statistic"].as_str().unwrap_or_default();
        if ["attenuation_of_scan", "spread_in_scan"].contains(&statistic) {
            expect(within(&row), format!("outside: {row}"))?;
        }
    }
    let count = rows.iter().filter(within).count();
    expect(count >= 9, format!("{count} of 15 rows within"))
}

/// 144 identifiers and metadata of exposure-notifications-internals.
fn published_identifiers_and_metadata(folder: &Path) -> Outcome {
    let vectors = json(&folder.join("keys/gaen_test_vectors.json"))?;
    let start = IntervalNumber::new(number(&vectors["interval_of_key"]));
    let secret = bytes(&vectors["tek"]);
    let own = TemporaryExposureKey::from_stored(secret, start, RollingPeriod::DAY);
    let public =
        DiagnosisKey::new(secret, start, RollingPeriod::DAY, DiagnosisKeyDetails::default());
    let metadata = BluetoothMetadata::from_bytes(bytes(&vectors["metadata"]))?;
    let advertised = vectors["advertised"].as_array().unwrap();
    assert_eq!(advertised.len(), 144);
    for sent in advertised {
        let interval = IntervalNumber::new(number(&sent["interval"]));
        for key in [own.identifier_key(), public.identifier_key()] {
            assert_eq!(key.identifier(interval).as_bytes(), &bytes(&sent["rpi"]));
        }
        let identifier = own.identifier_key().identifier(interval);
        let encrypted = own.metadata_key().encrypt(&identifier, metadata);
        assert_eq!(encrypted.as_bytes(), &bytes(&sent["aem"]));
        assert_eq!(public.metadata_key().decrypt(&identifier, encrypted), metadata.to_bytes());
    }
    Ok(())
}

/// (least, typical attenuation, seconds) of a scan instance.
type Scan = [u64; 3];
/// Windows (start, scan instances) by (receiver, transmitter).
type Windows = BTreeMap<(u32, u32), Vec<(i64, Vec<Scan>)>>;

/// What agreed with Google's output.
#[derive(Debug, Default)]
struct Agreement {
    windows: usize,
    identical: usize,
    scans: usize,
    scans_with_both_attenuations: usize,
    extra: usize,
}

/// Google's windows on eight phones, from the phones' HCI logs. The least that must hold is what
/// the replay reached when it was written; the counts can only rise.
fn windows_of_real_phones(folder: &Path) -> Outcome {
    let experiment = folder.join("dp3t-bt-measurements/exp34-epfl-soldiers");
    let phones = [1, 3, 6, 7, 11, 13, 15, 20];
    let mut captures = BTreeMap::new();
    for phone in phones {
        let file = experiment.join(format!("pcaps/{phone:02}.btsnoop"));
        captures.insert(phone, fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?);
    }
    let options = ReplayOptions {
        host: ScanningHost::Android,
        controller: 0,
        utc_offset_seconds: 7200,
        transmit_power: TransmitPowerDbm::new(-24)?,
        rssi_correction: RssiCorrectionDb(-3),
        look_ups: BTreeMap::new(),
    };
    let replayed = replay(&captures, &options, || {});
    let mut windows = Windows::new();
    for pair in &replayed.pairs {
        let of_pair = pair.windows.iter().map(|window| {
            let scans = window.scan_instances.iter().map(|scan| {
                [
                    u64::from(scan.minimum_attenuation.db()),
                    u64::from(scan.typical_attenuation.db()),
                    u64::from(scan.seconds_since_last_scan),
                ]
            });
            (window.first_heard_at.unix_seconds(), scans.collect())
        });
        windows.insert((pair.receiver, pair.transmitter), of_pair.collect());
    }
    let agreement = compare(folder, &experiment, &phones, &windows)?;
    eprintln!("{agreement:?}");
    expect(agreement.windows == 354, format!("{agreement:?}: the index changed"))?;
    expect(agreement.identical >= 348, format!("{agreement:?}: fewer identical windows"))?;
    expect(agreement.extra <= 2, format!("{agreement:?}: too many extra windows"))?;
    expect(
        agreement.scans_with_both_attenuations * 1000 >= agreement.scans * 993,
        format!("{agreement:?}: fewer exact attenuations"),
    )
}

fn compare(
    folder: &Path,
    experiment: &Path,
    phones: &[u32],
    windows: &Windows,
) -> Result<Agreement, Failed> {
    let looked_up = last_included_scan(folder)?;
    let index = fs::read_to_string(folder.join("gaen-annotations/windows_index.csv"))?;
    let mut google = BTreeMap::new();
    let mut agreement = Agreement::default();
    let mut found = BTreeSet::new();
    for line in index.lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let pair = (fields[0].parse()?, fields[1].parse()?);
        if !phones.contains(&pair.1) {
            continue;
        }
        let (file, position): (_, usize) = (fields[3], fields[4].parse()?);
        let began = fields[5].parse::<jiff::Timestamp>()?.as_second();
        if !google.contains_key(file) {
            google.insert(file.to_owned(), json(&experiment.join("backend-checks").join(file))?);
        }
        let document = google[file].as_object().unwrap().values().next().unwrap();
        let expected: Vec<Scan> = document[position]["scanInstances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scan| {
                ["minAttenuationDb", "typicalAttenuationDb", "secondsSinceLastScan"]
                    .map(|name| scan[name].as_u64().unwrap())
            })
            .collect();
        // Data after the look-up is allowed, so the expected window is the beginning of ours.
        let nearest = windows[&pair].iter().min_by_key(|(started, _)| (started - began).abs());
        let ours = nearest.map_or(&[][..], |(started, scans)| {
            found.insert((pair, *started));
            scans
        });
        let ours = &ours[..ours.len().min(expected.len())];
        agreement.windows += 1;
        agreement.identical += usize::from(ours == expected);
        agreement.scans += expected.len();
        agreement.scans_with_both_attenuations +=
            ours.iter().zip(&expected).filter(|(one, other)| one[..2] == other[..2]).count();
    }
    for (pair, of_pair) in windows {
        let before_look_up = of_pair.iter().filter(|(started, _)| *started < looked_up[&pair.0]);
        agreement.extra +=
            before_look_up.filter(|(started, _)| !found.contains(&(*pair, *started))).count();
    }
    Ok(agreement)
}

/// When each receiver looked keys up, by the last scan that its windows include.
fn last_included_scan(folder: &Path) -> Result<BTreeMap<u32, i64>, Failed> {
    let text = fs::read_to_string(folder.join("gaen-annotations/receivers.csv"))?;
    let of_receiver = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        let instant: jiff::Timestamp = fields[2].parse()?;
        Ok((fields[0].parse()?, instant.as_second()))
    };
    text.lines().skip(1).map(of_receiver).collect()
}

fn chikaku(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("chikaku").unwrap();
    command.args(arguments);
    command
}

/// A real contact database against demonstration keys: exactly 4 keys by 23 identifiers.
fn contact_database_and_demo_keys(folder: &Path) -> Outcome {
    let path = |name: &str| folder.join("keys").join(name).display().to_string();
    let (encounters, keys) = (path("demo_contact_records.jsonl"), path("companion_demo_dks.zip"));
    let arguments =
        ["match", "--encounters", &encounters, "--keys", &keys, "--allow-unsigned", "--json"];
    let output = chikaku(&arguments).assert().success().get_output().stdout.clone();
    let result: Value = serde_json::from_slice(&output)?;
    assert_eq!(result["keys_checked"], 2392);
    assert_eq!(result["matched_keys"], 4);
    assert_eq!(result["matched_identifiers"], 23);
    assert!(!result["windows"].as_array().unwrap().is_empty());
    let mut counts = Vec::new();
    for matched in result["matches"].as_array().unwrap() {
        let identifiers = matched["identifiers"].as_array().unwrap();
        counts.push(identifiers.len());
        for identifier in identifiers {
            let metadata = bytes::<4>(&identifier["metadata"]);
            assert_eq!((metadata[0], &metadata[2..]), (0x40, &[0, 0][..]));
        }
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 8, 12]);

    // Without a word about trust, a file that nobody signed is refused.
    let refused = chikaku(&arguments[..5]);
    let message = { refused }.assert().code(3).get_output().stderr.clone();
    expect(
        String::from_utf8_lossy(&message).contains("no verification key is configured"),
        String::from_utf8_lossy(&message).into_owned(),
    )
}

fn signed_samples_inspect_as_valid(folder: &Path) -> Outcome {
    let path = |name: &str| folder.join("keys").join(name).display().to_string();
    let google = path("en_internals_sample_diagnosis_key_file.zip");
    let server = path("ens_testExport-2-records-1-of-1.zip");
    let (google_keys, server_key) = (path("public_keys.txt"), path("ens_example_public.pem"));
    for (file, key, code) in [
        (&google, &google_keys, 0),
        (&server, &server_key, 0),
        (&google, &server_key, 3),
        (&server, &google_keys, 3),
    ] {
        chikaku(&["keys", "inspect", file, "--public-key", key]).assert().code(code);
    }
    Ok(())
}

/// The built-in default is what COCOA had in production.
fn cocoa_production_documents(folder: &Path) -> Outcome {
    let risk = json(&folder.join("cocoa/risk_calculation_configuration.json"))?;
    let read: RiskCalculationConfiguration = serde_json::from_value(risk)?;
    assert_eq!(read, RiskCalculationConfiguration::cocoa());

    let document = json(&folder.join("cocoa/configuration.json"))?;
    let summaries = &document["google_daily_summaries_config"];
    let ours = DailySummariesConfig::cocoa();
    let thresholds = serde_json::to_value(ours.attenuation_bucket_threshold_db)?;
    let weights = serde_json::to_value(ours.attenuation_bucket_weights)?;
    assert_eq!(summaries["attenuation_bucket_threshold_db"], thresholds);
    assert_eq!(summaries["attenuation_bucket_weights"], weights);
    assert_eq!(summaries["minimum_window_score"], ours.minimum_window_score);
    // 0 is no limit there and `None` here.
    assert_eq!(summaries["days_since_exposure_threshold"], 0);
    assert_eq!(ours.days_since_exposure_threshold, None);
    let infectiousness = &summaries["infectiousness_weights"];
    assert_eq!(infectiousness["High"], ours.infectiousness_weight_high);
    assert_eq!(infectiousness["Standard"], ours.infectiousness_weight_standard);
    let (theirs, weights) = (&summaries["report_type_weights"], ours.report_type_weights);
    assert_eq!(theirs["ConfirmedTest"], weights.confirmed_test);
    assert_eq!(theirs["ConfirmedClinicalDiagnosis"], weights.confirmed_clinical_diagnosis);
    assert_eq!(theirs["SelfReport"], weights.self_report);
    assert_eq!(theirs["Recursive"], weights.recursive);

    let theirs = &document["google_diagnosis_keys_data_mapping_config"];
    let mapping = DiagnosisKeysDataMapping::cocoa();
    let number = |infectiousness| match infectiousness {
        Infectiousness::None => 0,
        Infectiousness::Standard => 1,
        Infectiousness::High => 2,
    };
    for days in -14..=14 {
        let days_since_onset = DaysSinceOnset::new(days);
        let details = DiagnosisKeyDetails { days_since_onset, ..DiagnosisKeyDetails::default() };
        let expected = &theirs["infectiousness_for_days_since_onset_of_symptoms"][days.to_string()];
        assert_eq!(*expected, number(mapping.infectiousness(&details)), "{days}");
    }
    let missing = DiagnosisKeyDetails::default();
    let when_missing = &theirs["infectiousness_when_days_since_onset_missing"];
    assert_eq!(*when_missing, number(mapping.infectiousness(&missing)));
    assert_eq!(theirs["report_type_when_missing"], mapping.report_type(&missing).to_wire());
    Ok(())
}

fn a_recorded_day_at_school(folder: &Path) -> Outcome {
    let path = folder.join("contact-networks/high_school_thiers_2011.csv");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let week = contact_network::scenario_of(&text)?;
    assert_eq!(week.left_out, [20_711], "one met themselves");
    let week = Scenario::parse(&week.scenario)?;
    assert_eq!((week.phones.len(), week.stays.len()), (126, 4));
    let recorded = |stay: &Stay| match &stay.motion {
        Motion::Contacts { pairs, .. } => {
            pairs.values().flatten().map(|[from, to]| to - from).sum::<u32>() / 20
        }
        _ => 0,
    };
    assert_eq!(week.stays.iter().map(recorded).sum::<u32>(), 28_534, "each once; five overlap");

    let first: Vec<_> = text.lines().take(1 + 5_000).collect();
    let day = Scenario::parse(&contact_network::scenario_of(&first.join("\n"))?.scenario)?;
    let outcome = World::new(&day, 1).run(|_| ());
    let judged = outcome.judgement();
    let due = outcome.notified().len() + judged.missed - judged.falsely;
    eprintln!("{due} due, {} missed, {} told falsely", judged.missed, judged.falsely);
    assert!(due >= 2 && judged.missed == 0, "{judged:?}");
    Ok(())
}

fn a_party_as_cameras_saw_it(folder: &Path) -> Outcome {
    let path = folder.join("dp3t-bt-measurements/exp34-epfl-soldiers/computer-vision/4_party.zip");
    let recording = Tracks::read(&fs::read(&path)?, 7_200)?;
    let text = camera_tracks::scenario_of(&recording).ok_or("nobody")?;
    let scenario = Scenario::parse(&text)?;
    let stay = &scenario.stays[0];
    let number = |phone: usize| scenario.phones[phone].name.parse::<u32>();
    let mut compared = 0;
    for second in recording.span().ok_or("empty")?.step_by(5) {
        let at = Timestamp::from_unix_seconds(second)?;
        for one in 0..scenario.phones.len() {
            let Some(truth) = recording.distance_m(second, number(0)?, number(one)?) else {
                continue;
            };
            let is = stay.distance_m(0, one, at).unwrap();
            assert!((is - truth).abs() < 0.02, "{is} m, not {truth} m");
            compared += 1;
        }
    }
    assert!(compared > 4_000, "{compared}");
    Ok(())
}
