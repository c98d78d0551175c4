//! The windows of a node that matched the keys of node 0, computed again from the ground truth.

use std::collections::BTreeMap;

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{MeasuredSighting, WindowOrigin, WindowRules, exposure_windows};
use chikaku_core::flood::FloodLimits;
use chikaku_core::risk::Infectiousness;
use chikaku_core::signal::{AttenuationDb, RssiCorrectionDb, RssiDbm, TransmitPowerDbm};
use chikaku_core::time::{DAY_SECONDS, IntervalNumber, RollingPeriod, Timestamp};
use serde_json::{Value, json};

use super::Verdicts;
use super::events::NodeLog;
use super::truth::{MICROS, Report, Truth};

/// What the metadata of every node says, dBm: the default of `chikaku live`.
const TRANSMIT_POWER: i8 = -24;

pub(crate) fn judge(truth: &Truth, nodes: &[NodeLog], exposed: &[usize], verdicts: &mut Verdicts) {
    let Some(disclosed_at) = nodes.first().and_then(|node| node.disclosed_at) else { return };
    for (number, node) in nodes.iter().enumerate().filter(|(number, _)| *number != 0) {
        let expected = windows(truth, number, disclosed_at);
        let found = node.windows.clone().unwrap_or_default();
        let mut problems = Vec::new();
        if exposed.contains(&number) && expected.is_empty() {
            problems.push("the ground truth has no window".to_owned());
        }
        if found.len() != expected.len() {
            problems.push(format!("{} windows instead of {}", found.len(), expected.len()));
        }
        for (expected, found) in expected.iter().zip(&found) {
            let starts = (expected["startEpoch"].as_i64(), found["startEpoch"].as_i64());
            // The kernel stamps a report some microseconds after the controller has sent it.
            let near = matches!(starts, (Some(a), Some(b)) if (a - b).abs() <= 1);
            if !near || expected["scanInstances"] != found["scanInstances"] {
                problems.push(format!("{found} instead of {expected}"));
            }
        }
        let claim = format!("node {number} has the {} windows of the ground truth", expected.len());
        verdicts.claim(&claim, &problems);
    }
}

/// The windows of `receiver` with node 0, by key and time.
fn windows(truth: &Truth, receiver: usize, disclosed_at: i64) -> Vec<Value> {
    let mut sent = BTreeMap::new();
    for aired in truth.aired.iter().filter(|aired| aired.controller == 0) {
        let identifier = aired.service_data.first_chunk::<16>().copied().unwrap_or_default();
        let day = aired.from / MICROS / i64::from(DAY_SECONDS);
        sent.entry(identifier).or_insert(day);
    }
    let scans: Vec<_> = truth.scans.iter().filter(|scan| scan.controller == receiver).collect();
    let mut by_day: BTreeMap<i64, Vec<MeasuredSighting>> = BTreeMap::new();
    for report in kept(truth, receiver) {
        let at = report.micros / MICROS;
        let Some(day) = sent.get(&report.identifier).filter(|_| at < disclosed_at) else {
            continue;
        };
        let previous = scans.iter().rev().find(|scan| scan.until < report.micros);
        let previous = previous.map(|scan| scan.until / MICROS);
        let (Ok(heard_at), Ok(rssi), Ok(power)) = (
            Timestamp::from_unix_seconds(at),
            RssiDbm::new(i16::try_from(report.rssi).unwrap_or(i16::MAX)),
            TransmitPowerDbm::new(TRANSMIT_POWER),
        ) else {
            continue;
        };
        by_day.entry(*day).or_default().push(MeasuredSighting {
            heard_at,
            previous_scan_ended: previous.and_then(|at| Timestamp::from_unix_seconds(at).ok()),
            attenuation: AttenuationDb::between(power, rssi, RssiCorrectionDb(0)),
            calibration_confidence: None,
        });
    }
    let of_day = |mut sightings: Vec<MeasuredSighting>| {
        sightings.sort_by_key(|sighting| sighting.heard_at);
        exposure_windows(&sightings, &origin(), &WindowRules::default())
    };
    let windows = by_day.into_values().flat_map(of_day);
    windows
        .map(|window| {
            let scans: Vec<_> = window
                .scan_instances
                .iter()
                .map(|scan| {
                    json!({
                        "minAttenuationDb": scan.minimum_attenuation.db(),
                        "typicalAttenuationDb": scan.typical_attenuation.db(),
                        "secondsSinceLastScan": scan.seconds_since_last_scan,
                    })
                })
                .collect();
            json!({"startEpoch": window.first_heard_at.unix_seconds(), "scanInstances": scans})
        })
        .collect()
}

/// What the core keeps of each scan: of one identifier the strongest reports, as many as the default
/// limit says.
fn kept(truth: &Truth, receiver: usize) -> Vec<&Report> {
    let limit = FloodLimits::default().sightings_per_identifier as usize;
    let mut of_scan: BTreeMap<_, Vec<&Report>> = BTreeMap::new();
    let scans: Vec<_> = truth.scans.iter().filter(|scan| scan.controller == receiver).collect();
    for report in truth.reports.iter().filter(|report| report.controller == receiver) {
        let scan = scans.partition_point(|scan| scan.until < report.micros);
        of_scan.entry((scan, report.identifier)).or_default().push(report);
    }
    for reports in of_scan.values_mut() {
        reports.sort_by_key(|report| (-report.rssi, report.micros / MICROS));
        reports.truncate(limit);
    }
    of_scan.into_values().flatten().collect()
}

/// Names windows; nothing in them depends on it.
fn origin() -> WindowOrigin {
    let details = DiagnosisKeyDetails::default();
    let key = DiagnosisKey::new([0; 16], IntervalNumber::new(0), RollingPeriod::DAY, details);
    WindowOrigin {
        key: key.hash(),
        report_type: ReportType::ConfirmedTest,
        infectiousness: Infectiousness::High,
    }
}
