//! Venues as an app uses them: codes, stays, warnings, packages, matches.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chikaku_core::export::{ExportError, KeyIdentity, SigningKey, TrustedKeys};
use chikaku_core::time::{IntervalNumber, Timestamp, UtcDay};
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue, cwa_url};
use chikaku_core::venue::package::read_unsigned;
use chikaku_core::venue::stay::{WarnedIntervals, warned_intervals};
use chikaku_core::venue::warning::WarningError;
use chikaku_core::venue::{
    CheckInError, MOST_CHECK_INS_A_DAY, PackageError, PackageLimits, ProtectedWarning,
    TransmissionRiskLevel, VenueCode, VenueCodeError, VenueDiary, VenueId, VenueRules, VenueType,
    Warning, WarningPackage, WarningPackageWriter,
};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// 2021-03-04, midnight UTC.
const DAY: UtcDay = UtcDay::new(18_690);

/// Hours and minutes of that day.
fn at(hour: u32, minute: u32) -> Timestamp {
    DAY.start().saturating_add(hour * 3_600 + minute * 60)
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn signer(number: u8) -> SigningKey {
    SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[number; 32]).unwrap()
}

fn trusted() -> TrustedKeys {
    TrustedKeys::from(signer(7).trusted_key())
}

fn venue(seed: u64) -> VenueCode {
    let venue = NewVenue {
        venue_type: VenueType::PermanentFoodService,
        default_stay: DefaultStay::from_minutes(120),
        name: Some("Soba Yamada".to_owned()),
        declaration: Declaration { measures: vec!["ventilation".to_owned()], issued_on: DAY },
    };
    VenueCode::read(&venue.issue(&signer(9), &mut rng(seed)).unwrap()).unwrap()
}

fn warning(start: Timestamp, period: u32, level: u8) -> Warning {
    Warning::new(WarnedIntervals { start: start.interval(), period }, level).unwrap()
}

fn package(warnings: impl IntoIterator<Item = ProtectedWarning>) -> Vec<u8> {
    WarningPackageWriter::new("440").warnings(warnings).write(&signer(7)).unwrap()
}

fn verified(zip: &[u8]) -> Result<WarningPackage<'_>, PackageError> {
    WarningPackage::verify(zip, &trusted(), PackageLimits::default())
}

fn base64<const N: usize>(text: &str) -> [u8; N] {
    Base64::decode_vec(text).unwrap().try_into().unwrap()
}

#[test]
fn corona_warn_apps_vectors() {
    let id = VenueId::from_bytes(base64("m686QDEvOYSfRtrRBA8vA58c/6EjjEHp22dTFc+tObY="));
    assert_eq!(*id.mac_key(), base64("T4jqEMtrtkhQmn+mDXoFBTji4LDiVIZNtP83axUz+bA="));
    assert_eq!(*id.cipher_key(), base64("prxOK3dvFTjoxfROd2KyfG0aTFeMYZfPos69m84vv6E="));
    let iv = base64("+VNLZEr+j6qotkv8v1ASlQ==");
    let rows = [
        (271_044, 3, "7v9eQ9R2JtDnU70gn4cidQ==", "g6KU9FjzawyGA5ZPiZxfgxt8Ou5pSVWqqyAaBkQEA4k="),
        (2_710_445, 28, "t5TWYYc/kn4vbWRd677L3g==", "BJX/KwAXo3vQBMlycMxNxiwlrNyzWdD2LeF9KCrzt/I="),
    ];
    for (start, period, ciphertext, mac) in rows {
        let start = IntervalNumber::new(start);
        let warning = Warning::new(WarnedIntervals { start, period }, 7).unwrap();
        let sealed = warning.protect_with(&id, iv);
        assert_eq!(sealed.ciphertext, base64::<16>(ciphertext));
        assert_eq!(sealed.mac, base64(mac));
        assert_eq!(sealed.open(&id), Ok(warning));
    }
}

/// Codes that Corona-Warn-App's documents and a generator print.
const FRISEUR: &str = "https://e.coronawarn.app?v=1#CAESEwgBEgdGcmlzZXVyGgZCZXJsaW4adggBEmCDAszMTXne1DAA5_YxmhRdd_NZN2VKl9L32Jl9-ZybE4b2eNIrhFOKYU4XAOHq3RPLDxdHTW6ANiO24rCOO4rj06HzcVZy3pel58-L1KSPG-_PneL2BoyZQRz3qlu2hoAaEATXwzyyIshzBHREtsdmc6kiBggBEAUYeA";
const EVENT: &str = "https://e.coronawarn.app?v=1#CAESJAgBEgxGdW4gQWN0aXZpdHkaBkJlcmxpbiiQovmQBjCfovmQBhqXAQgBEoABZ3dMTXpFMTUzdFF3QU9mMk1ab1VYWGZ6V1RkbFNwZlM5OWlaZmZtY214T0c5bmpTSzRSVGltRk9Gd0RoNnQwVHl3OFhSMDF1Z0RZanR1S3dqanVLNDlPaDgzRldjdDZYcGVmUGk5U2tqeHZ2ejUzaTlnYU1tVUVjOTZwYnRvYUEaEHIB1CktU-94-5N1e7Rm9asiBAgBEAk=";

#[test]
fn codes_of_corona_warn_app() {
    let code = VenueCode::read(FRISEUR).unwrap();
    assert_eq!((code.name(), code.venue_type()), (Some("Friseur"), VenueType::PermanentCraft));
    assert_eq!((code.default_stay().minutes(), code.event()), (120, None));
    // The id is the hash of the payload as received (Python: hashlib).
    let payload = FRISEUR.split_once('#').unwrap().1;
    let bytes = Base64UrlUnpadded::decode_vec(payload).unwrap();
    assert_eq!(cwa_url(&bytes), FRISEUR);
    assert_eq!(hex::encode(code.id().as_bytes()), FRISEUR_ID);
    // The same place in another vendor's code.
    let vendor = format!("https://vendor.example/x/y#data/CWA1/{payload}");
    assert_eq!(VenueCode::read(&vendor).unwrap().id(), code.id());
    assert_eq!(code.verify_issuer(&trusted()), Err(VenueCodeError::Issuer));

    let event = VenueCode::read(EVENT).unwrap();
    assert_eq!(event.venue_type(), VenueType::TemporaryCulturalEvent);
    let (begins, ends) = event.event().unwrap();
    assert_eq!((begins.unix_seconds(), ends.unix_seconds()), (1_646_154_000, 1_646_154_015));
    assert_eq!(event.default_stay(), DefaultStay::SHORTEST);
    let mut diary = VenueDiary::default();
    assert_eq!(diary.check_in(&event, ends), Err(CheckInError::NotNow));
    diary.check_in(&event, begins).unwrap();
    assert_eq!(diary.check_ins()[0].until, ends);
}

/// `hashlib.sha256(b"CWA-GUID" + payload)` of [`FRISEUR`].
const FRISEUR_ID: &str = "44c7dfb03c581ca3df206c7b74d573cbb8fc7ba85ac15922cc9beaa8372958b7";

#[test]
fn own_codes_carry_the_issuers_declaration_and_signature() {
    let code = venue(1);
    assert_eq!(code.name(), Some("Soba Yamada"));
    assert_eq!(code.default_stay().minutes(), 120);
    let declaration = code.declaration().unwrap();
    assert_eq!(
        (declaration.measures.as_slice(), declaration.issued_on),
        (&["ventilation".to_owned()][..], DAY)
    );
    let issuers = TrustedKeys::from(signer(9).trusted_key());
    assert_eq!(code.verify_issuer(&issuers).map(ToString::to_string), Ok("440-v1".to_owned()));
    assert_eq!(code.verify_issuer(&trusted()), Err(VenueCodeError::Issuer));
    assert_eq!(code.verify_issuer(&TrustedKeys::new()), Err(VenueCodeError::Issuer));
    assert_ne!(venue(1).id(), venue(2).id());
    assert_eq!(venue(1).id(), venue(1).id());
    let shown = format!("{code:?} {:?}", code.id());
    assert!(!shown.contains("Soba"), "{shown}");
}

#[test]
fn c16_codes_that_are_refused() {
    let cases = [
        ("", VenueCodeError::NotAVenue),
        ("https://example.org/", VenueCodeError::NotAVenue),
        ("CHKV2:ABC", VenueCodeError::Version),
        ("CHKV1:a", VenueCodeError::Encoding),
        ("CHKV1:", VenueCodeError::Malformed("the seed has not 16 bytes")),
        ("https://e.coronawarn.app?v=1#!!", VenueCodeError::Encoding),
        ("https://e.coronawarn.app?v=1#", VenueCodeError::Malformed("no locationData")),
    ];
    for (text, error) in cases {
        assert_eq!(VenueCode::read(text), Err(error), "{text}");
    }
    assert_eq!(VenueCode::read(&"A".repeat(8_193)), Err(VenueCodeError::TooLong));
    let named = |name: String| {
        let declaration = Declaration { measures: Vec::new(), issued_on: DAY };
        let (venue_type, default_stay) = (VenueType::Unspecified, DefaultStay::SHORTEST);
        NewVenue { venue_type, default_stay, name: Some(name), declaration }
            .issue(&signer(9), &mut rng(1))
    };
    named("名".repeat(100)).unwrap();
    for name in ["名".repeat(101), "a\u{1b}[2J".to_owned(), "a\u{202e}b".to_owned()] {
        assert_eq!(named(name), Err(VenueCodeError::Malformed("the name")));
    }
}

#[test]
fn default_stays_are_quarters_of_an_hour() {
    for (minutes, rounded) in [
        (0, 15),
        (1, 15),
        (22, 15),
        (23, 30),
        (30, 30),
        (37, 30),
        (38, 45),
        (1_410, 1_410),
        (1_424, 1_425),
        (1_425, 1_425),
        (1_440, 1_425),
        (u32::MAX, 1_425),
    ] {
        assert_eq!(DefaultStay::from_minutes(minutes).minutes(), rounded, "{minutes}");
    }
}

#[test]
fn every_boundary_row_of_the_stay_rules() {
    // Corona-Warn-App's scenarios: minutes after 10:00, came, left, warned from, warned until.
    let rows = [
        (21, 29, None),
        (20, 30, Some((20, 40))),
        (21, 31, Some((20, 40))),
        (26, 36, Some((30, 50))),
        (21, 33, Some((20, 40))),
        (24, 36, Some((30, 50))),
        (25, 39, Some((20, 50))),
        (28, 42, Some((30, 60))),
        (25, 40, Some((20, 50))),
        (22, 72, Some((20, 100))),
        // The tail: as long as the stay up to 30 minutes, never longer.
        (0, 30, Some((0, 60))),
        (0, 31, Some((0, 60))),
        (0, 60, Some((0, 90))),
    ];
    for (came, left, expected) in rows {
        let warned = warned_intervals(at(10, came), at(10, 0).saturating_add(left * 60));
        let minutes = |interval: IntervalNumber| interval.start().seconds_since(at(10, 0)) / 60;
        let found: Vec<_> = warned
            .iter()
            .map(|part| (minutes(part.start), minutes(part.start) + i64::from(part.period) * 10))
            .collect();
        assert_eq!(found, Vec::from_iter(expected), "{came} to {left}");
    }
    // 9:59 minutes are too short, 10:00 are not; a stay that ends before it begins is none.
    assert!(warned_intervals(at(10, 0), at(10, 10).saturating_sub(1)).is_empty());
    assert!(warned_intervals(at(10, 10), at(10, 0)).is_empty());
}

#[test]
fn stays_are_cut_at_midnight_in_utc() {
    let warned = warned_intervals(at(23, 0), at(25, 0));
    let first = WarnedIntervals { start: at(23, 0).interval(), period: 6 };
    let second = WarnedIntervals { start: at(24, 0).interval(), period: 9 };
    assert_eq!(warned, [first, second]);
    // Up to midnight, and the tail behind it.
    let warned = warned_intervals(at(23, 0), at(24, 0));
    assert_eq!(warned, [first, WarnedIntervals { start: at(24, 0).interval(), period: 3 }]);
}

#[test]
fn visits_end_by_themselves_or_when_the_user_leaves() {
    let mut diary = VenueDiary::default();
    let number = diary.check_in(&venue(1), at(12, 3)).unwrap();
    assert_eq!(diary.check_ins()[0].until, at(14, 3));
    assert_eq!(diary.check_in(&venue(1), at(13, 0)), Err(CheckInError::StillThere));
    diary.check_in(&venue(2), at(13, 0)).unwrap();
    diary.check_out(number, at(13, 30)).unwrap();
    assert_eq!(diary.check_ins()[0].until, at(13, 30));
    assert_eq!(diary.check_out(number, at(13, 31)), Err(CheckInError::NotThere));
    assert_eq!(diary.check_out(99, at(13, 31)), Err(CheckInError::NotThere));
    // Again at the first place; and the second visit has ended by itself.
    diary.check_in(&venue(1), at(13, 30)).unwrap();
    diary.check_in(&venue(2), at(15, 0)).unwrap();

    let mut flooded = VenueDiary::default();
    for seed in 0..MOST_CHECK_INS_A_DAY as u64 {
        flooded.check_in(&venue(seed), at(8, 0)).unwrap();
    }
    assert_eq!(flooded.check_in(&venue(1_000), at(9, 0)), Err(CheckInError::TooMany));
    flooded.check_in(&venue(1_000), at(24, 0)).unwrap();
}

#[test]
fn i22_a_co_visitor_is_warned_on_the_phone_and_nobody_else() {
    let here = venue(1);
    let mut positive = VenueDiary::default();
    let number = positive.check_in(&here, at(12, 0)).unwrap();
    positive.check_out(number, at(13, 0)).unwrap();
    let visit = |code: &VenueCode, came, left| {
        let mut diary = VenueDiary::default();
        let number = diary.check_in(code, came).unwrap();
        diary.check_out(number, left).unwrap();
        diary
    };
    let now = at(36, 0);
    let level = TransmissionRiskLevel::new(5).unwrap();
    let (submitted, report) = positive.submit(level, |_| true, 10, now, &mut rng(5));
    assert_eq!((submitted.len(), report.submitted, report.left_out), (1, 1, 0));
    let decoys = (0..3).map(|seed| ProtectedWarning::decoy(&mut rng(seed)));
    let warnings = submitted.into_iter().map(|warning| warning.sealed).chain(decoys);
    let zip = package(warnings);
    let opened = verified(&zip).unwrap();

    let mut visitors = [
        (visit(&here, at(12, 30), at(14, 0)), 3_600),
        // Within the air's half hour, and from the second on at which it is over.
        (visit(&here, at(13, 20), at(15, 0)), 600),
        (visit(&here, at(13, 30), at(15, 0)), 0),
        (visit(&here, at(11, 0), at(12, 0)), 0),
        (visit(&venue(2), at(12, 0), at(13, 0)), 0),
    ];
    for (number, (diary, seconds)) in visitors.iter_mut().enumerate() {
        let report = diary.ingest(&opened, now).unwrap();
        let found: u32 = diary.matches().map(|matched| matched.seconds).sum();
        assert_eq!(found, *seconds, "visitor {number}");
        assert_eq!(report.warnings, 4);
        let rules = VenueRules::default();
        let told = if *seconds >= 600 { vec![DAY] } else { Vec::new() };
        assert_eq!(diary.to_tell(&rules), told, "visitor {number}");
        let again = diary.ingest(&opened, now).unwrap();
        assert!(again.known && diary.matches().map(|m| m.seconds).sum::<u32>() == *seconds);
    }
    let (diary, _) = &mut visitors[0];
    let explained = diary.explain(DAY, &VenueRules::default());
    assert_eq!(explained.len(), 1);
    assert_eq!(explained[0].label.as_deref(), Some("Soba Yamada"));
    assert_eq!(explained[0].stay, (at(12, 30), at(14, 0)));
    assert_eq!((explained[0].matched.from, explained[0].counts), (at(12, 30), true));
    let strict = VenueRules { least_transmission_risk_level: 6, ..VenueRules::default() };
    assert!(diary.to_tell(&strict).is_empty() && !diary.explain(DAY, &strict)[0].counts);
    diary.told(DAY);
    assert!(diary.to_tell(&VenueRules::default()).is_empty());
    // Nothing that is shown or published names the place.
    let stored = format!("{diary:?} {explained:?} {:?} {:?}", diary.check_ins(), opened);
    assert!(!stored.contains("Soba"), "{stored}");
    let published = String::from_utf8_lossy(&zip).into_owned();
    assert!(!published.contains("Soba"));

    // The one who warned is not warned.
    let own = positive.ingest(&opened, now).unwrap();
    assert_eq!((own.of_visited_places, positive.matches().count()), (0, 0));
}

#[test]
fn c16_warnings_of_others_are_not_authentic() {
    let code = venue(1);
    let sealed = warning(at(12, 0), 6, 5).protect(&code.id(), &mut rng(2));
    assert_eq!(sealed.open(&venue(2).id()), Err(WarningError::OtherVenue));
    for byte in 0..16 {
        let mut changed = sealed.clone();
        changed.iv[byte] ^= 1;
        assert_eq!(changed.open(&code.id()), Err(WarningError::NotAuthentic));
        let mut changed = sealed.clone();
        changed.ciphertext[byte] ^= 0x80;
        assert_eq!(changed.open(&code.id()), Err(WarningError::NotAuthentic));
    }
    for byte in 0..32 {
        let mut changed = sealed.clone();
        changed.mac[byte] ^= 1;
        assert_eq!(changed.open(&code.id()), Err(WarningError::NotAuthentic));
    }
    // Somebody who only knows the public hash.
    let decoy =
        ProtectedWarning { venue_hash: code.id().hash(), ..ProtectedWarning::decoy(&mut rng(3)) };
    let mut diary = VenueDiary::default();
    diary.check_in(&code, at(12, 0)).unwrap();
    let zip = package([decoy, sealed]);
    let report = diary.ingest(&verified(&zip).unwrap(), at(20, 0)).unwrap();
    assert_eq!((report.of_visited_places, report.refused, report.matched), (2, 1, 1));

    let day = WarnedIntervals { start: at(0, 0).interval(), period: 145 };
    assert!(matches!(Warning::new(day, 5), Err(WarningError::OutOfRange("period"))));
    for level in [0, 9] {
        let hour = WarnedIntervals { period: 6, ..day };
        assert!(matches!(Warning::new(hour, level), Err(WarningError::OutOfRange(_))), "{level}");
    }
}

#[test]
fn packages_without_a_good_signature_change_nothing() {
    let code = venue(1);
    let mut diary = VenueDiary::default();
    diary.check_in(&code, at(12, 0)).unwrap();
    let before = diary.clone();
    let zip = package([warning(at(12, 0), 6, 5).protect(&code.id(), &mut rng(2))]);
    let other = TrustedKeys::from(signer(8).trusted_key());
    let refused = WarningPackage::verify(&zip, &other, PackageLimits::default()).unwrap_err();
    assert!(matches!(refused, PackageError::File(ExportError::SignatureMismatch { .. })));
    let nobody = WarningPackage::verify(&zip, &TrustedKeys::new(), PackageLimits::default());
    assert_eq!(nobody.unwrap_err(), PackageError::File(ExportError::NoTrustedKey));
    for byte in 0..zip.len() {
        let mut changed = zip.clone();
        changed[byte] ^= 1;
        if let Ok(opened) = verified(&changed) {
            // A byte of the archive that nobody reads, as a date.
            assert_eq!(opened.digest(), verified(&zip).unwrap().digest());
        }
        assert!(verified(&zip[..byte]).is_err(), "cut at {byte}");
    }
    let limits = PackageLimits { warnings: 0, ..PackageLimits::default() };
    let opened = WarningPackage::verify(&zip, &trusted(), limits).unwrap();
    let error = diary.ingest(&opened, at(20, 0)).unwrap_err();
    assert_eq!(error, PackageError::TooManyWarnings { limit: 0 });
    assert_eq!(diary, before);
}

#[test]
fn one_bad_warning_costs_only_itself() {
    let code = venue(1);
    let good = warning(at(12, 0), 6, 5).protect(&code.id(), &mut rng(2));
    let content = WarningPackageWriter::new("440").warnings([good.clone(), good.clone()]).content();
    // An empty report, a report that is no message, one that is far too long, an unknown field.
    let long = [&[0x22, 0x80, 0x80, 0x04][..], &[0; 65_536]].concat();
    let bad = [&[0x22, 0][..], &[0x22, 1, 0xff], &long, &[0x7a, 2, 1, 2], &content].concat();
    let mut seen = 0;
    let unreadable = read_unsigned(&bad, &PackageLimits::default(), &mut |found| {
        assert_eq!(*found, good);
        seen += 1;
    });
    assert_eq!((unreadable, seen), (Ok(3), 2));
    let cut = &content[..content.len() - 1];
    let error = read_unsigned(cut, &PackageLimits::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, PackageError::Truncated { .. }));
}

#[test]
fn two_people_with_the_same_stay_both_count_and_one_that_comes_again_counts_once() {
    let code = venue(1);
    let mut diary = VenueDiary::default();
    diary.check_in(&code, at(12, 0)).unwrap();
    let alike = |seed| warning(at(12, 0), 6, 5).protect(&code.id(), &mut rng(seed));
    let first = package([alike(1), alike(2)]);
    let second = package([alike(2), alike(3)]);
    assert_eq!(diary.ingest(&verified(&first).unwrap(), at(20, 0)).unwrap().matched, 2);
    assert_eq!(diary.ingest(&verified(&second).unwrap(), at(20, 0)).unwrap().matched, 1);
    assert_eq!(diary.matches().count(), 3);
}

#[test]
fn a_match_over_midnight_is_evidence_of_both_days() {
    let code = venue(1);
    let mut diary = VenueDiary::default();
    diary.check_in(&code, at(23, 0)).unwrap();
    let over = warning(at(23, 30), 6, 5).protect(&code.id(), &mut rng(1));
    let found = diary.look_up(&over, at(30, 0));
    let days: Vec<_> = found.iter().map(|matched| (matched.day, matched.seconds)).collect();
    assert_eq!(days, [(DAY, 1_800), (DAY.saturating_add(1), 1_800)]);
    // A running visit counts as far as it has come.
    assert_eq!(diary.look_up(&over, at(23, 40))[0].seconds, 600);
}

#[test]
fn visits_are_forgotten_with_what_they_matched() {
    let code = venue(1);
    let mut diary = VenueDiary::default();
    diary.check_in(&code, at(23, 0)).unwrap();
    let over = warning(at(23, 30), 6, 5).protect(&code.id(), &mut rng(1));
    let zip = package([over]);
    diary.ingest(&verified(&zip).unwrap(), at(30, 0)).unwrap();

    let mut trimmed = diary.clone();
    trimmed.forget_day(DAY);
    let left: Vec<_> = trimmed.check_ins().iter().map(|v| (v.since, v.until)).collect();
    assert_eq!(left, [(at(24, 0), at(25, 0))]);
    assert_eq!(trimmed.matches().map(|m| m.day).collect::<Vec<_>>(), [DAY.saturating_add(1)]);

    let mut kept = diary.clone();
    kept.forget_before(at(25, 0));
    assert_eq!(kept.check_ins().len(), 1);
    kept.forget_before(at(25, 0).saturating_add(1));
    assert_eq!((kept.check_ins().len(), kept.matches().count()), (0, 0));
    let stored = serde_json::to_string(&diary).unwrap();
    assert_eq!(serde_json::from_str::<VenueDiary>(&stored).unwrap(), diary);
}

proptest! {
    #[test]
    fn c16_a_warning_for_a_place_never_visited_matches_nothing(
        visits in proptest::collection::vec((0_u64..20, 0_u32..86_400), 0..20),
        warnings in proptest::collection::vec((100_u64..200, 0_u32..200, 1_u32..=144, 1_u8..=8), 0..30),
        decoys in 0_u64..20,
    ) {
        let mut diary = VenueDiary::default();
        for (place, seconds) in visits {
            let _still_there = diary.check_in(&venue(place), at(0, 0).saturating_add(seconds));
        }
        let warnings = warnings.into_iter().map(|(place, later, period, level)| {
            let start = at(0, 0).saturating_add(later * 600);
            warning(start, period, level).protect(&venue(place).id(), &mut rng(place))
        });
        let decoys = (0..decoys).map(|seed| ProtectedWarning::decoy(&mut rng(seed)));
        let zip = package(warnings.chain(decoys));
        let report = diary.ingest(&verified(&zip).unwrap(), at(100, 0)).unwrap();
        prop_assert_eq!((report.of_visited_places, diary.matches().count()), (0, 0));
    }

    #[test]
    fn no_stay_panics_or_warns_beyond_itself(since in 0_i64..=i64::from(u32::MAX) * 600, seconds in 0_u32..200_000) {
        let since = Timestamp::from_unix_seconds(since).unwrap();
        let until = since.saturating_add(seconds);
        let warned = warned_intervals(since, until);
        for part in &warned {
            prop_assert!((1..=144).contains(&part.period));
            let last = part.start.checked_add(part.period - 1);
            prop_assert_eq!(last.map(IntervalNumber::day), Some(part.start.day()));
        }
        if let (Some(first), Some(last)) = (warned.first(), warned.last()) {
            prop_assert!(first.start.start().seconds_since(since).abs() < 900);
            let end = last.start.start().unix_seconds() + i64::from(last.period) * 600;
            prop_assert!(end - until.unix_seconds() < 1_800 + 600);
        }
    }

    #[test]
    fn no_text_or_content_panics(text in ".{0,80}", content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = VenueCode::read(&text);
        let _ = VenueCode::read(&format!("CHKV1:{text}"));
        let _ = VenueCode::read(&cwa_url(&content));
        let _ = read_unsigned(&content, &PackageLimits::default(), &mut |_| {});
    }
}
