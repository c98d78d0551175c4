//! Key exports that real servers and test fixtures of real apps contain.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads its data")]

mod data_support;

use std::fs;
use std::path::Path;

use chikaku_core::export::{
    Batch, ExportError, KeyExport, KeyIdentity, KeyList, KeyReport, Limits, Metadata, TrustedKey,
    TrustedKeys,
};
use data_support::{Data, Outcome};
use libtest_mimic::{Arguments, Failed};

fn main() {
    let arguments = Arguments::from_args();
    let data = Data::folder("keys");
    let trials = vec![
        data.trial("google_sample_verifies", google_sample_verifies),
        data.trial("key_server_sample_verifies", key_server_sample_verifies),
        data.trial("samples_refuse_each_others_keys", samples_refuse_each_others_keys),
        data.trial("bare_export_bin_parses", bare_export_bin_parses),
        data.trial("companion_demo_without_signature", companion_demo_without_signature),
        data.trial("raw_signature_is_named", raw_signature_is_named),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Failed> {
    let path = folder.join(name);
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn google_key(folder: &Path) -> Result<TrustedKey, Failed> {
    let text = String::from_utf8(read(folder, "public_keys.txt")?)?;
    let base64 = text.lines().find_map(|line| line.strip_prefix("310-v1 "));
    let base64 = base64.ok_or("public_keys.txt has no key 310-v1")?;
    Ok(TrustedKey::from_base64(KeyIdentity::new("310", "v1"), base64)?)
}

fn server_key(folder: &Path) -> Result<TrustedKey, Failed> {
    let pem = String::from_utf8(read(folder, "ens_example_public.pem")?)?;
    Ok(TrustedKey::from_pem(KeyIdentity::new("some_id", "1"), &pem)?)
}

fn verify(zip: &[u8], trusted: TrustedKey) -> Result<(Metadata, KeyReport), ExportError> {
    let export = KeyExport::from_zip(zip, Limits::DEFAULT)?.verify(&TrustedKeys::from(trusted))?;
    let mut keys = export.keys()?;
    for key in &mut keys {
        assert_eq!(key?.list, KeyList::New);
    }
    Ok((export.metadata().clone(), keys.into_report()))
}

fn google_sample_verifies(folder: &Path) -> Outcome {
    let zip = read(folder, "en_internals_sample_diagnosis_key_file.zip")?;
    let (metadata, report) = verify(&zip, google_key(folder)?)?;
    assert_eq!((report.delivered(), report.skipped(), report.ignored_risk_levels()), (140, 0, 0));
    assert_eq!(metadata.key_count, 140);
    assert_eq!(metadata.region.as_deref(), Some("US"));
    assert_eq!(metadata.batch, Some(Batch::SINGLE));
    let start = metadata.start.ok_or("no start")?;
    assert_eq!(start.unix_seconds(), 1_593_633_600);
    assert_eq!(metadata.end.ok_or("no end")?.seconds_since(start), 300);
    assert_eq!(metadata.signature_infos[0].key, KeyIdentity::new("310", "v1"));

    let export = KeyExport::from_bytes(&zip, Limits::DEFAULT)?.accept_without_signature()?;
    for key in export.keys()? {
        let key = key?.key;
        assert_eq!(key.rolling_period().intervals(), 144);
        assert_eq!(key.rolling_start().get() % 144, 0);
        assert!((3..=8).contains(&key.details.transmission_risk_level.ok_or("no risk level")?));
        assert_eq!(key.details.report_type, None);
        assert_eq!(key.details.days_since_onset, None);
    }
    Ok(())
}

fn key_server_sample_verifies(folder: &Path) -> Outcome {
    let zip = read(folder, "ens_testExport-2-records-1-of-1.zip")?;
    let (metadata, report) = verify(&zip, server_key(folder)?)?;
    assert_eq!((report.delivered(), report.skipped()), (2, 0));
    assert_eq!(metadata.signature_infos[0].algorithm.as_deref(), Some("1.2.840.10045.4.3.2"));

    let export = KeyExport::from_zip(&zip, Limits::DEFAULT)?.accept_without_signature()?;
    let mut found = Vec::new();
    for key in export.keys()? {
        let key = key?.key;
        let risk = key.details.transmission_risk_level;
        found.push((key.rolling_start().get(), key.rolling_period().intervals(), risk));
    }
    assert_eq!(found, [(2_649_980, 1, Some(8)), (2_649_866, 114, Some(1))]);
    Ok(())
}

fn samples_refuse_each_others_keys(folder: &Path) -> Outcome {
    let zip = read(folder, "en_internals_sample_diagnosis_key_file.zip")?;
    let error = verify(&zip, server_key(folder)?).err();
    assert_eq!(error, Some(ExportError::UnknownKeyId { id: "310".into() }));
    let point = server_key(folder)?.to_sec1_bytes();
    let wrong = TrustedKey::from_sec1_bytes(KeyIdentity::new("310", "v1"), &point)?;
    let key = KeyIdentity::new("310", "v1");
    assert_eq!(verify(&zip, wrong).err(), Some(ExportError::SignatureMismatch { key }));
    Ok(())
}

fn bare_export_bin_parses(folder: &Path) -> Outcome {
    let bin = read(folder, "en_internals_app_export.bin")?;
    let export = KeyExport::from_bytes(&bin, Limits::DEFAULT)?;
    let missing = ExportError::MissingEntry { entry: "export.sig" };
    assert_eq!(export.clone().verify(&google_key(folder)?.into()).err(), Some(missing));
    let export = export.accept_without_signature()?;
    let mut keys = export.keys()?;
    let mut periods = Vec::new();
    for key in &mut keys {
        periods.push(key?.key.rolling_period().intervals());
    }
    assert_eq!((keys.report().delivered(), keys.report().skipped()), (110, 0));
    assert_eq!((periods.iter().min(), periods.iter().max()), (Some(&2), Some(&144)));
    Ok(())
}

fn companion_demo_without_signature(folder: &Path) -> Outcome {
    let zip = read(folder, "companion_demo_dks.zip")?;
    let export = KeyExport::from_zip(&zip, Limits::DEFAULT)?;
    let missing = ExportError::MissingEntry { entry: "export.sig" };
    assert_eq!(export.clone().verify(&google_key(folder)?.into()).err(), Some(missing));
    let export = export.accept_without_signature()?;
    let metadata = export.metadata();
    assert_eq!((metadata.start, metadata.end, metadata.batch), (None, None, None));
    assert_eq!((metadata.region.as_deref(), metadata.signature_infos.len()), (None, 0));
    let mut keys = export.keys()?;
    for key in &mut keys {
        assert!(key?.key.details.report_type.is_some());
    }
    assert_eq!((keys.report().delivered(), keys.report().skipped()), (2_392, 0));
    Ok(())
}

fn raw_signature_is_named(folder: &Path) -> Outcome {
    let zip = read(folder, "cwaios_api-response-day-2020-05-16.zip")?;
    // The signature names no key, so that any single trusted key is the one that is meant.
    let key = KeyIdentity::new("", "");
    assert_eq!(verify(&zip, google_key(folder)?).err(), Some(ExportError::RawSignature { key }));
    let two: TrustedKeys = [google_key(folder)?, server_key(folder)?].into_iter().collect();
    let error = KeyExport::from_zip(&zip, Limits::DEFAULT)?.verify(&two).err();
    assert_eq!(error, Some(ExportError::SignatureWithoutKey));
    let export = KeyExport::from_zip(&zip, Limits::DEFAULT)?.accept_without_signature()?;
    assert_eq!(export.keys()?.count(), 13);
    Ok(())
}
