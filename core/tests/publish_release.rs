//! Numbers, links, dates, and which keys are released.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::local_time::{LocalTimeError, UtcOffset};
use chikaku_core::publish::attempts::Wait;
use chikaku_core::publish::cocoa::days_since_onset_as_served;
use chikaku_core::publish::deep_link::DeepLinkError;
use chikaku_core::publish::local_date::LocalDateError;
use chikaku_core::publish::number::NumberError;
use chikaku_core::publish::release::{
    ACCEPTED_DAYS, FirstKey, MAX_KEYS, ReleaseError, TransmissionRisk,
};
use chikaku_core::publish::{
    AttemptLimiter, Basis, Consent, DateFilter, DeepLinkFormat, LocalDate, ProcessingNumber,
    Release, ReleaseRequest, VerificationCode,
};
use chikaku_core::time::{INTERVALS_PER_DAY, IntervalNumber, RollingPeriod, Timestamp, UtcDay};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn interval(number: u32) -> IntervalNumber {
    IntervalNumber::new(number)
}

fn key(name: u8, start: u32, period: u32) -> DiagnosisKey {
    let period = RollingPeriod::new(period).unwrap();
    DiagnosisKey::new([name; 16], interval(start), period, DiagnosisKeyDetails::default())
}

/// Keys of whole UTC days, the last one of `last_day`.
fn daily_keys(last_day: UtcDay, count: u8) -> Vec<DiagnosisKey> {
    let first = last_day.days_since_1970() + 1 - u32::from(count);
    (0..count).map(|n| key(n, (first + u32::from(n)) * INTERVALS_PER_DAY, 144)).collect()
}

fn request(basis: Basis, filter: DateFilter) -> ReleaseRequest {
    let consent = Consent::given_by_user(Timestamp::EPOCH);
    let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    request.filter = filter;
    request
}

fn starts(release: &Release) -> BTreeSet<u32> {
    release.keys().iter().map(|released| released.key.rolling_start().get()).collect()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(5)
}

fn japan(year: i32, month: u8, day: u8) -> LocalDate {
    LocalDate::from_calendar(year, month, day, UtcOffset::JAPAN).unwrap()
}

#[test]
fn a_processing_number_is_eight_digits() {
    assert_eq!(ProcessingNumber::new("12345678").unwrap().as_str(), "12345678");
    for (text, error) in [
        ("", NumberError::Empty),
        ("1234567", NumberError::Length { digits: 7 }),
        ("123456789", NumberError::Length { digits: 9 }),
        ("1234567x", NumberError::NotADigit { position: 8 }),
        ("12345678\n", NumberError::NotADigit { position: 9 }),
        ("１２３４５６７８", NumberError::NotADigit { position: 1 }),
    ] {
        assert_eq!(ProcessingNumber::new(text), Err(error), "{text:?}");
    }
    // What a person types or pastes.
    for text in ["１２３４５６７８", " 1234 5678\n", "1234-5678", "12345678　"] {
        assert_eq!(ProcessingNumber::from_typed(text).unwrap().as_str(), "12345678", "{text:?}");
    }
    assert_eq!(ProcessingNumber::from_typed(" - "), Err(NumberError::Empty));
    let letter = ProcessingNumber::from_typed("1234 567O");
    assert_eq!(letter, Err(NumberError::NotADigit { position: 9 }));
    assert!(!format!("{:?}", ProcessingNumber::new("12345678")).contains("1234"));
}

#[test]
fn a_verification_code_is_letters_and_digits() {
    assert_eq!(VerificationCode::new("1234567890abcdef").unwrap().as_str(), "1234567890abcdef");
    for text in ["", "123", "1234 5678", "ａｂｃｄ", &"1".repeat(65)] {
        assert!(VerificationCode::new(text).is_err(), "{text:?}");
    }
    let code: VerificationCode = ProcessingNumber::new("12345678").unwrap().into();
    assert_eq!(code.as_str(), "12345678");
    assert!(!format!("{code:?}").contains("1234"));
}

#[test]
fn a_deep_link_gives_its_number_and_nothing_else_does() {
    let format = DeepLinkFormat::cocoa("www.example.jp");
    for link in [
        "https://www.example.jp/cocoa/a/?pn=12345678",
        "https://WWW.EXAMPLE.JP/cocoa/a?pn=12345678",
        "/cocoa/a/?pn=12345678",
        "https://www.example.jp/cocoa/a/?utm=sms&pn=12345678#top",
    ] {
        assert_eq!(format.number(link).unwrap().as_str(), "12345678", "{link}");
    }
    let short = DeepLinkError::Number(NumberError::Length { digits: 4 });
    for (link, error) in [
        ("", DeepLinkError::NotAnAddress),
        ("https://www.example.jp/cocoa/a/?pn=1 2", DeepLinkError::NotAnAddress),
        ("http://www.example.jp/cocoa/a/?pn=12345678", DeepLinkError::Scheme),
        ("https://evil.example/cocoa/a/?pn=12345678", DeepLinkError::Host),
        ("https://www.example.jp@evil.example/cocoa/a/?pn=12345678", DeepLinkError::Host),
        ("https://www.example.jp:8443/cocoa/a/?pn=12345678", DeepLinkError::Host),
        ("https://www.example.jp/cocoa/b/?pn=12345678", DeepLinkError::Path),
        ("https://www.example.jp/cocoa/a/", DeepLinkError::NoNumber),
        ("https://www.example.jp/cocoa/a/?xpn=12345678", DeepLinkError::NoNumber),
        ("https://www.example.jp/cocoa/a/?pn=12345678&pn=87654321", DeepLinkError::SeveralNumbers),
        ("https://www.example.jp/cocoa/a/?pn=1234", short),
    ] {
        assert_eq!(format.number(link), Err(error), "{link}");
    }
}

#[test]
fn refused_numbers_slow_down_and_never_lock_out() {
    let mut limiter = AttemptLimiter::default();
    let start = Timestamp::from_unix_seconds(1_642_302_000).unwrap();
    assert_eq!(limiter.check(start), Ok(()));
    for (refusals, wait) in (1..=30).map(|n| (n, (n * 5).min(60))) {
        limiter.number_refused(start);
        assert_eq!(limiter.check(start), Err(Wait { seconds: wait }), "{refusals}");
        assert_eq!(limiter.check(start.saturating_add(wait)), Ok(()), "{refusals}");
        // A clock that is set back or on its last second makes nobody wait longer.
        assert_eq!(limiter.check(Timestamp::EPOCH), Err(Wait { seconds: wait }));
        assert_eq!(limiter.check(Timestamp::MAX), Ok(()));
    }
    let stored = serde_json::to_string(&limiter).unwrap();
    assert_eq!(serde_json::from_str::<AttemptLimiter>(&stored).unwrap(), limiter);
    // After a quarter of an hour nothing is held against anybody.
    let later = start.saturating_add(AttemptLimiter::FORGOTTEN_AFTER_SECONDS);
    limiter.number_refused(later);
    assert_eq!(limiter.check(later), Err(Wait { seconds: 5 }));
    limiter.number_accepted();
    assert_eq!(limiter.check(later), Ok(()));
}

/// cocoa.md 5.5: COCOA's published numbers.
#[test]
fn the_bounds_are_those_of_cocoa() {
    let onset = japan(2022, 1, 16);
    assert_eq!(onset.starts().interval(), interval(2_737_098));
    assert_eq!(DateFilter::COCOA_V2.bound(onset), interval(2_736_666));
    assert_eq!(DateFilter::COCOA_V3.bound(onset), interval(2_734_938));
    let onset = japan(2022, 8, 8);
    assert_eq!(onset.starts().interval(), interval(2_766_474));
    assert_eq!(DateFilter::COCOA_V2.bound(onset), interval(2_766_042));
    // The filter's unit test: keys from 2020-11-17T00:00Z on.
    let first = UtcDay::new(18_583);
    assert_eq!(first.to_string(), "2020-11-17");
    let now = first.saturating_add(8).start();
    let release = request(Basis::SymptomOnset(japan(2020, 11, 20)), DateFilter::COCOA_V2).release(
        &daily_keys(first.saturating_add(7), 14),
        now,
        &mut rng(),
    );
    let starts = starts(&release.unwrap());
    assert_eq!(starts.first(), Some(&first.first_interval().get()));
    assert_eq!(starts.len(), 8);
}

/// cocoa.md 5.5: what COCOA's server makes of the date, and what it should have made.
#[test]
fn days_since_onset_as_cocoa_served_them_and_as_they_are() {
    let onset = japan(2022, 1, 16);
    let keys: Vec<_> = (0..9).map(|day| key(day, 2_736_000 + 144 * u32::from(day), 144)).collect();
    let served: Vec<_> = keys.iter().map(|key| days_since_onset_as_served(key, onset)).collect();
    assert_eq!(served, [-7, -6, -5, -4, -3, -2, -1, 0, 1]);
    let request =
        request(Basis::SymptomOnset(onset), DateFilter { days_before: 8, ..DateFilter::default() });
    let now = interval(2_737_400).start();
    let release = request.release(&keys, now, &mut rng()).unwrap();
    assert_eq!(release.keys().len(), 9);
    for released in release.keys() {
        let start = released.key.rolling_start().get();
        let days = i64::from(start - 2_736_000) / 144 - 8;
        assert_eq!(released.key.details.days_since_onset.map(|d| i64::from(d.days())), Some(days));
    }
}

#[test]
fn whole_first_day_is_kept_unless_cocoas_rule_is_asked_for() {
    let onset = japan(2022, 1, 16);
    let keys = daily_keys(UtcDay::new(2_737_152 / 144), 14);
    let now = interval(2_737_300).start();
    let first = |first_key| {
        let filter = DateFilter { days_before: 3, first_key };
        let release = request(Basis::SymptomOnset(onset), filter).release(&keys, now, &mut rng());
        *starts(&release.unwrap()).first().unwrap()
    };
    // 2022-01-13 in Japan begins at 15:00 UTC of the 12th: the key of the 12th was on the air.
    assert_eq!(first(FirstKey::Overlapping), 2_736_576);
    assert_eq!(first(FirstKey::StartingWithin), 2_736_720);
}

#[test]
fn what_is_not_released_is_said() {
    let now = UtcDay::new(19_008).start().saturating_add(3_600);
    let onset = |date| Basis::SymptomOnset(date);
    let ask = |basis, keys: &[DiagnosisKey]| {
        request(basis, DateFilter::default()).release(keys, now, &mut rng())
    };
    let tomorrow = LocalDate::new(19_009, UtcOffset::UTC).unwrap();
    let today = LocalDate::new(19_008, UtcOffset::UTC).unwrap();
    assert_eq!(ask(onset(tomorrow), &daily_keys(now.day(), 3)), Err(ReleaseError::DateInFuture));
    assert_eq!(ask(onset(today), &[]), Err(ReleaseError::NoKeys { considered: 0 }));
    let old = daily_keys(now.day().saturating_sub(20), 5);
    let long_ago = LocalDate::new(18_000, UtcOffset::UTC).unwrap();
    assert_eq!(ask(onset(long_ago), &old), Err(ReleaseError::NoKeys { considered: 5 }));
    // Of too many the latest are kept; a repeated key counts once; the future is not released.
    let mut many = daily_keys(now.day(), 14);
    let parts =
        (0..40).map(|n| key(100 + n, now.day().first_interval().get() - 60 + u32::from(n), 1));
    many.extend(parts);
    many.extend(daily_keys(now.day(), 14));
    many.push(key(200, now.interval().get() + 1, 10));
    let release = ask(onset(long_ago), &many).unwrap();
    let starts: Vec<_> = starts(&release).into_iter().collect();
    assert_eq!(release.keys().len(), MAX_KEYS);
    assert_eq!(starts.last(), Some(&now.day().first_interval().get()));
    assert!(starts.iter().all(|start| *start <= now.interval().get()));
}

#[test]
fn no_risk_by_day_and_no_order_by_day_unless_asked_for() {
    let now = UtcDay::new(19_009).start();
    let mut keys = daily_keys(UtcDay::new(19_008), 14);
    for (level, key) in (1..).zip(&mut keys) {
        key.details.transmission_risk_level = Some(level % 8);
    }
    let basis = Basis::TestDate(LocalDate::new(19_008, UtcOffset::UTC).unwrap());
    let ask = |risk, seed| {
        let mut request = request(basis, DateFilter::COCOA_V3);
        request.transmission_risk = risk;
        request.release(&keys, now, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
    };
    let plain = ask(TransmissionRisk::NotGiven, 1);
    assert!(plain.keys().iter().all(|k| k.key.details.transmission_risk_level.is_none()));
    assert!(plain.keys().iter().all(|k| k.key.details.days_since_onset.is_none()));
    let marked = ask(TransmissionRisk::AsMarked, 1);
    assert!(marked.keys().iter().all(|k| k.key.details.transmission_risk_level.is_some()));
    // The key of each day comes to every place.
    let places: BTreeSet<_> = (0..500)
        .map(|seed| {
            let release = ask(TransmissionRisk::NotGiven, seed);
            let first = keys[0].as_bytes();
            release.keys().iter().position(|k| k.key.as_bytes() == first).unwrap()
        })
        .collect();
    assert_eq!(places.len(), 14);
}

#[test]
fn dates_that_do_not_exist() {
    let calendar = |y, m, d| LocalDate::from_calendar(y, m, d, UtcOffset::UTC);
    for (y, m, d) in [(2022, 2, 29), (2022, 13, 1), (2022, 0, 1), (2022, 4, 31), (1969, 12, 31)] {
        let error = LocalDateError::Calendar { year: y, month: m, day: d };
        assert_eq!(calendar(y, m, d), Err(error));
    }
    assert_eq!(calendar(1970, 1, 1), Err(LocalDateError::Range(0)));
    assert!(calendar(2024, 2, 29).is_ok() && calendar(9999, 12, 31).is_ok());
    assert_eq!(UtcOffset::new(841), Err(LocalTimeError::Offset(841)));
    assert_eq!(UtcOffset::new(-721), Err(LocalTimeError::Offset(-721)));
    assert_eq!(japan(2022, 1, 16).to_string(), "2022-01-16T00:00:00.000+09:00");
    for text in [
        "",
        "2022-01-16",
        "2022-01-16T00:00:00.000Z",
        "2022-01-16T00:00:00.000+09:0é",
        "2022-01-16T00:00:00.000+08:60",
        "2022-01-16T00:00:00.000-00:00",
        "2022-01-16T00:00:00.000+14:01",
    ] {
        assert!(LocalDate::parse(text).is_err(), "{text}");
    }
}

/// The clock is changed on the date, which has 23 or 25 hours.
#[test]
fn a_date_on_which_the_clock_is_changed() {
    let offset = |hours: i16| UtcOffset::new(i64::from(hours * 60)).unwrap();
    for (at_start, at_end, hours) in [(12, 13, 23), (13, 12, 25), (1, 2, 23), (-4, -5, 25)] {
        let date = LocalDate::from_calendar(2021, 9, 26, offset(at_start)).unwrap();
        let date = date.with_offset_at_end(offset(at_end));
        assert_eq!(date.ends().seconds_since(date.starts()), hours * 3_600);
        let noon = date.ends().saturating_sub(12 * 3_600);
        assert_eq!(date.utc_day(), noon.day());
    }
}

fn any_date() -> impl Strategy<Value = LocalDate> {
    (18_500..20_000_u32, -720..=840_i16).prop_map(|(days, minutes)| {
        LocalDate::new(days, UtcOffset::new(i64::from(minutes)).unwrap()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// I-7: whatever the offset, the key that was on the air at local noon of onset has 0 days.
    #[test]
    fn the_key_of_local_noon_has_no_days_since_onset(date in any_date()) {
        let noon = date.starts().saturating_add(12 * 3_600);
        let keys = daily_keys(noon.day(), 4);
        let now = noon.day().saturating_add(1).start();
        let release = request(Basis::SymptomOnset(date), DateFilter::default())
            .release(&keys, now, &mut rng()).unwrap();
        let at_noon = release.keys().iter().map(|released| released.key).find(|key| {
            key.rolling_start() <= noon.interval() && noon.interval() < key.rolling_end()
        });
        let days = at_noon.unwrap().details.days_since_onset;
        prop_assert_eq!(days.map(|days| days.days()), Some(0));
    }

    /// The first key is the one that was on the air when the first date began there.
    #[test]
    fn a_key_counts_for_a_date_that_it_overlaps(date in any_date(), days_before in 0..10_u32) {
        let filter = DateFilter { days_before, first_key: FirstKey::Overlapping };
        let keys = daily_keys(date.utc_day().saturating_add(1), 20);
        let now = date.ends().saturating_add(2 * 86_400);
        let release = request(Basis::TestDate(date), filter).release(&keys, now, &mut rng());
        let released = starts(&release.unwrap());
        let first_date = date.saturating_sub(days_before);
        for key in keys.iter().filter(|key| {
            key.rolling_start() >= now.day().saturating_sub(ACCEPTED_DAYS).first_interval()
        }) {
            let overlaps_later = key.rolling_start().start() >= first_date.ends();
            let counts = first_date.overlaps(key.rolling_start(), key.rolling_end());
            let start = key.rolling_start().get();
            prop_assert_eq!(released.contains(&start), counts || overlaps_later);
        }
    }

    /// A key that has not ended is marked, and not sent before it has.
    #[test]
    fn nothing_that_is_still_valid_can_be_sent(
        parts in prop::collection::vec((0..400_u32, 1..=144_u32), 1..12),
        at in 0..500_u32,
        later in 0..300_u32,
    ) {
        let base = 19_000 * INTERVALS_PER_DAY;
        let keys: Vec<_> =
            (0..).zip(parts).map(|(name, (start, period))| key(name, base + start, period)).collect();
        let now = interval(base + at).start();
        let date = LocalDate::new(18_999, UtcOffset::UTC).unwrap();
        let release = request(Basis::TestDate(date), DateFilter::COCOA_V3)
            .release(&keys, now, &mut rng());
        let Ok(release) = release else { return Ok(()) };
        for instant in [now, interval(base + at + later).start()] {
            for key in release.sendable(instant) {
                prop_assert!(key.rolling_end() <= instant.interval());
            }
        }
        let due = release.next_due(now);
        prop_assert_eq!(due.is_none(), release.sendable(now).len() == release.keys().len());
        if let Some(due) = due {
            prop_assert!(release.sendable(due).len() > release.sendable(now).len());
        }
        let stored = serde_json::to_string(&release).unwrap();
        prop_assert_eq!(serde_json::from_str::<Release>(&stored).unwrap(), release);
    }

    #[test]
    fn a_date_is_read_as_it_was_written(date in any_date()) {
        prop_assert_eq!(LocalDate::parse(&date.to_string()), Ok(date));
    }

    #[test]
    fn no_text_panics(text in ".{0,40}", link in "https://www.example.jp.{0,40}") {
        let format = DeepLinkFormat::cocoa("www.example.jp");
        let _ = (LocalDate::parse(&text), ProcessingNumber::from_typed(&text));
        let _ = (format.number(&text), format.number(&link), VerificationCode::new(&text));
    }
}
