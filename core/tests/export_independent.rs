//! A signed export that `vectors/export.py` wrote without any code of the project.

use chikaku_core::export::{KeyExport, KeyIdentity, KeyList, Limits, TrustedKey, TrustedKeys};
use serde_json::{Value, json};

const ZIP: &[u8] = include_bytes!("vectors/export_independent.zip");
const PEM: &str = include_str!("vectors/export_independent.pem");
const EXPECTED: &str = include_str!("vectors/export_independent.json");

#[test]
fn reads_what_another_implementation_wrote() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let text = |name: &str| expected[name].as_str().unwrap().to_owned();
    let identity = KeyIdentity::new(text("key_id"), text("key_version"));
    let trusted = TrustedKeys::from(TrustedKey::from_pem(identity.clone(), PEM).unwrap());
    let export = KeyExport::from_zip(ZIP, Limits::DEFAULT).unwrap().verify(&trusted).unwrap();
    assert_eq!(export.signed_by(), [identity]);

    let metadata = export.metadata();
    let batch = metadata.batch.unwrap();
    let mut keys = export.keys().unwrap();
    let found: Vec<Value> = (&mut keys)
        .map(|key| {
            let key = key.unwrap();
            let details = key.key.details;
            json!({
                "list": if key.list == KeyList::New { "new" } else { "revised" },
                "key": hex::encode(key.key.as_bytes()),
                "rolling_start": key.key.rolling_start().get(),
                "rolling_period": key.key.rolling_period().intervals(),
                "transmission_risk_level": details.transmission_risk_level,
                "report_type": details.report_type.map(|report_type| report_type.to_wire()),
                "days_since_onset": details.days_since_onset.map(|days| days.days()),
                "variant_of_concern": details.variant_of_concern,
            })
        })
        .collect();
    let found = json!({
        "key_id": text("key_id"),
        "key_version": text("key_version"),
        "start": metadata.start.unwrap().unix_seconds(),
        "end": metadata.end.unwrap().unix_seconds(),
        "region": metadata.region,
        "batch_number": batch.number(),
        "batch_size": batch.size(),
        "sha256": metadata.digest.to_string(),
        "ignored_risk_levels": keys.report().ignored_risk_levels(),
        "keys": found,
    });
    assert_eq!(found, expected);
}
