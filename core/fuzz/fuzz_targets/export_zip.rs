//! A whole key file. The seeds are signed by the key that is trusted here; what verifies can be
//! read to its end.

#![no_main]

use std::sync::LazyLock;

use chikaku_core::export::{KeyExport, KeyIdentity, Limits, SigningKey, TrustedKeys};
use libfuzzer_sys::fuzz_target;

static TRUSTED: LazyLock<TrustedKeys> = LazyLock::new(|| {
    let key = SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]);
    key.expect("a valid scalar").trusted_key().into()
});

fuzz_target!(|data: &[u8]| {
    let Ok(export) = KeyExport::from_bytes(data, Limits::DEFAULT) else { return };
    if let Ok(export) = export.clone().verify(&TRUSTED) {
        assert!(!export.signed_by().is_empty());
        assert!(export.keys().expect("it verified").all(|key| key.is_ok()));
    }
    if let Ok(export) = export.accept_without_signature() {
        assert!(export.keys().expect("it was read").all(|key| key.is_ok()));
    }
});
