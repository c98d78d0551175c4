//! Exposure windows as JSON, with the names of Google's API.

use chikaku_core::exposure::ExposureWindow;
use serde_json::{Value, json};

pub(crate) fn to_json(window: &ExposureWindow) -> Value {
    let scan_instances: Vec<_> = window
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
    json!({
        "id": window.id.to_string(),
        "startEpoch": window.first_heard_at.unix_seconds(),
        "scanInstances": scan_instances,
    })
}
