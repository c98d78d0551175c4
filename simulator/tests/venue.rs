//! `chikaku venue issue` as an issuer runs it. The poster needs a font, of which the project holds
//! none: with `CHIKAKU_POSTER_FONT` set to one with Japanese letters, it is drawn as well.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;

use assert_cmd::Command;
use chikaku_core::export::{KeyIdentity, TrustedKey, TrustedKeys};
use chikaku_core::venue::{VenueCode, VenueType};

/// Made for this test with `openssl ecparam -name prime256v1 -genkey`; it signs nothing else.
const SIGNING_KEY: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIM7kAtYnV6GJGOOrB6fga69S8Xh/k2UsvyC+8SmhLhqmoAoGCCqGSM49
AwEHoUQDQgAEKS8PeluCKWLPpTqBt/p7h0XeCL6l+wLcim+kYJV+m3abap5erXmB
cJmS30rLmBcfcOBsSNBJR73w/39dJlGOGg==
-----END EC PRIVATE KEY-----
";
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKS8PeluCKWLPpTqBt/p7h0XeCL6l
+wLcim+kYJV+m3abap5erXmBcJmS30rLmBcfcOBsSNBJR73w/39dJlGOGg==
-----END PUBLIC KEY-----
";

fn issue(more: &[&str]) -> assert_cmd::assert::Assert {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, SIGNING_KEY).unwrap();
    let mut command = Command::cargo_bin("chikaku").unwrap();
    command.args(["venue", "issue", "--issued-on", "2022-01-28", "--sign-with"]).arg(&key);
    command.args(more).assert()
}

fn text(more: &[&str]) -> String {
    let output = issue(more).code(0).get_output().stdout.clone();
    String::from_utf8(output).unwrap().trim_end().to_owned()
}

#[test]
fn the_code_says_what_was_asked_and_who_signed_it() {
    let issued = text(&[
        "--type",
        "permanent_food_service",
        "--name",
        "そば処 やまだ",
        "--stay",
        "50",
        "--measures",
        "ventilation,masks",
    ]);
    let code = VenueCode::read(&issued).unwrap();
    assert_eq!(code.name(), Some("そば処 やまだ"));
    assert_eq!(code.venue_type(), VenueType::PermanentFoodService);
    assert_eq!(code.default_stay().minutes(), 45);
    let declaration = code.declaration().unwrap();
    assert_eq!(declaration.measures, ["ventilation", "masks"]);
    assert_eq!(declaration.issued_on.to_string(), "2022-01-28");
    let key = TrustedKey::from_pem(KeyIdentity::new("440", "v1"), PUBLIC_KEY).unwrap();
    assert!(code.verify_issuer(&TrustedKeys::from(key)).is_ok());
    // Two codes are two venues, unless a seed is given.
    let seeded = |seed| text(&["--seed", seed]);
    assert_ne!(text(&[]), text(&[]));
    assert_eq!(seeded("1"), seeded("1"));
    assert_ne!(seeded("1"), seeded("2"));
}

#[test]
fn what_is_refused_says_why() {
    for (more, code, expected) in [
        (&["--measures", "No Key"][..], 3, "a measure is a key"),
        (&["--type", "castle"], 2, "permanent_food_service"),
        (&["--svg", "poster.svg"], 2, "--font"),
        (&["--font", "/nowhere.otf"], 1, "/nowhere.otf"),
    ] {
        let output = issue(more).code(code).get_output().stderr.clone();
        let message = String::from_utf8(output).unwrap();
        assert!(message.contains(expected), "{more:?}: {message}");
    }
}

#[test]
fn a_poster_is_outlines_in_both_formats() {
    let Some(font) = std::env::var_os("CHIKAKU_POSTER_FONT") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (svg, pdf) = (folder.path().join("poster.svg"), folder.path().join("poster.pdf"));
    let arguments = [
        "--font",
        font.to_str().unwrap(),
        "--svg",
        svg.to_str().unwrap(),
        "--pdf",
        pdf.to_str().unwrap(),
        "--name",
        "そば処 やまだ",
    ];
    text(&arguments);
    let svg = fs::read_to_string(svg).unwrap();
    assert!(svg.contains("<path") && !svg.contains("<text"));
    let pdf = fs::read(pdf).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && !pdf.windows(5).any(|bytes| bytes == b"/Font"));
}
