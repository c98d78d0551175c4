//! What no foreign test can bring about: a defect, and a log that fails.

use super::*;
use crate::Boot;

fn client() -> ExposureNotificationClient {
    let configuration = ClientConfiguration {
        transmit_power_dbm: -24,
        trusted_keys: Vec::new(),
        risk: None,
        risk_version: None,
        calibration_confidence: None,
        rssi_correction_db: 0,
        service_uuid: 0xFD6F,
        key_files_per_day: None,
        retention_days: 14,
        guidance_rules_json: None,
        guidance_messages_json: Vec::new(),
        upload_server: None,
        venue_issuers: Vec::new(),
        diary_rules_json: None,
    };
    ExposureNotificationClient::open(configuration, LogLocation::Memory).unwrap()
}

fn now() -> ClockReading {
    ClockReading {
        wall_unix_seconds: 1_775_433_600,
        monotonic_seconds: 5_000,
        boot: Boot::Count { count: 17 },
    }
}

#[test]
fn a_defect_is_an_error_and_the_client_goes_on() {
    let client = client();
    let defect: Result<(), _> = client.with(|_| panic!("on purpose"));
    assert_eq!(defect, Err(Error::Internal));
    assert!(client.start(now()).is_ok());
}

#[test]
fn a_log_that_fails_says_which_way_and_the_next_call_is_unaffected() {
    let client = client();
    let fail = |error| {
        client
            .with(|open| {
                let mut log = std::mem::replace(&mut open.engine, engine_over_nothing()).into_log();
                log.fails = error;
                open.engine = Engine::open(open.engine.configuration().clone(), log)?;
                Ok(())
            })
            .unwrap();
    };
    fail(Some(LogError::Full));
    assert_eq!(client.start(now()), Err(Error::LogFull));
    let file = KeyFile { bytes: Vec::new(), source: None, position: 0 };
    assert_eq!(
        client.provide_diagnosis_keys(vec![file], 0, now()).unwrap_err(),
        Error::LogFull,
        "nothing was done at all"
    );
    fail(Some(LogError::Failed("on purpose".to_owned())));
    assert!(matches!(client.start(now()), Err(Error::LogFailed(_))));
    let failed = client.status(HostFacts::default(), now()).unwrap();
    assert!(failed.reasons.iter().any(|reason| reason.code == "log_failed"));
    fail(None);
    assert!(client.start(now()).is_ok());
}

fn engine_over_nothing() -> Engine<Log> {
    let open = client().open.into_inner().unwrap().unwrap();
    open.engine
}
