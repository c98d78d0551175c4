//! Lists that lie, and a cursor that loses nothing and repeats nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;

use chikaku_core::download::{
    Downloads, EntryIssue, FetchError, ListError, ListedFile, Listing, Next, Source,
};
use chikaku_core::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

fn source() -> Source {
    Source::new("440", "https://cdn.example/c19r/440/").unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_642_302_000 + seconds).unwrap()
}

fn cocoa_list(entries: &serde_json::Value) -> Listing {
    Listing::from_cocoa_list(&serde_json::to_vec(entries).unwrap(), &source()).unwrap()
}

#[test]
fn a_source_is_a_secure_place() {
    for good in ["https://cdn.example/c19r/440", "http://127.0.0.1:8080/x", "http://localhost:1"] {
        assert!(Source::new("440", good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "cdn.example/c19r",
        "http://cdn.example/c19r/440",
        "http://127.0.0.1.evil.example/x",
        "https://user@cdn.example/c19r",
        "https://cdn.example/c19r?x=1",
        "ftp://cdn.example/c19r",
    ] {
        assert!(Source::new("440", bad).is_err(), "{bad}");
    }
    assert_eq!(source().cocoa_list_url(), "https://cdn.example/c19r/440/list.json");
    assert_eq!(source().index_url(), "https://cdn.example/c19r/440/index.txt");
}

#[test]
fn an_address_must_lie_under_the_source() {
    let issue = |url: &str| {
        let listing = cocoa_list(&json!([{"region": "440", "url": url, "created": 1}]));
        assert_eq!(listing.files.len() + listing.skipped.len(), 1);
        listing.skipped.first().map(|(_, issue)| *issue)
    };
    assert_eq!(issue("https://cdn.example/c19r/440/1.zip"), None);
    assert_eq!(issue("https://CDN.example/c19r/440/a/1.zip"), None);
    for (url, expected) in [
        ("http://cdn.example/c19r/440/1.zip", EntryIssue::Scheme),
        ("1.zip", EntryIssue::Scheme),
        ("https://evil.example/c19r/440/1.zip", EntryIssue::OtherHost),
        ("https://cdn.example@evil.example/c19r/440/1.zip", EntryIssue::OtherHost),
        ("https://evil@cdn.example/c19r/440/1.zip", EntryIssue::OtherHost),
        ("https://cdn.example:444/c19r/440/1.zip", EntryIssue::OtherHost),
        ("https://cdn.example/c19r/441/1.zip", EntryIssue::OtherPath),
        ("https://cdn.example/c19r/4400/1.zip", EntryIssue::OtherPath),
        ("https://cdn.example/c19r/440/../441/1.zip", EntryIssue::OtherPath),
        ("https://cdn.example/c19r/440//1.zip", EntryIssue::OtherPath),
        ("https://cdn.example/c19r/440/%2e%2e/1.zip", EntryIssue::Address),
        ("https://cdn.example/c19r/440/1.zip?x", EntryIssue::Address),
        ("https://cdn.example/c19r/440/1.zip#x", EntryIssue::Address),
        ("https://cdn.example/c19r/440/1 .zip", EntryIssue::Address),
        ("", EntryIssue::Address),
    ] {
        assert_eq!(issue(url), Some(expected), "{url}");
    }
}

#[test]
fn what_is_wrong_with_an_entry_is_said() {
    let url = "https://cdn.example/c19r/440/1.zip";
    let listing = cocoa_list(&json!([
        {"region": "440", "url": url, "created": 5, "extra": [1, 2]},
        {"region": "440", "url": url, "created": 6},
        {"region": "441", "url": url, "created": 5},
        {"region": "440", "url": url, "created": -1},
        {"region": "440", "url": url, "created": i64::MAX},
        {"region": "440", "url": url, "created": "5"},
        {"region": "440", "url": url},
        {"region": 440, "url": url, "created": 5},
        null,
        {"region": "440", "url": "https://cdn.example/c19r/440/0.zip", "created": 4},
    ]));
    let names: Vec<_> = listing.files.iter().map(|file| file.url.as_str()).collect();
    assert_eq!(names, ["https://cdn.example/c19r/440/0.zip", url], "oldest first");
    use EntryIssue::{Created, Form, Region, Repeated};
    let expected = [Repeated, Region, Created, Created, Form, Form, Form, Form];
    assert_eq!(listing.skipped, (1..).zip(expected).collect::<Vec<_>>());

    let refused = |bytes: &[u8]| Listing::from_cocoa_list(bytes, &source());
    assert_eq!(refused(b"{}"), Err(ListError::NotAnArray { line: 1, column: 0 }));
    assert!(matches!(refused(b""), Err(ListError::NotAnArray { .. })));
    assert!(matches!(refused(&[b'['; 100_000]), Err(ListError::NotAnArray { .. })));
    let long = vec![b' '; 5 << 20];
    assert_eq!(refused(&long), Err(ListError::TooLong { bytes: 5 << 20 }));
    assert_eq!(refused(b"[]"), Ok(Listing::default()));
}

#[test]
fn an_index_is_read_line_by_line() {
    let text = "\u{feff}export-440/1592336400-1592338200-00001.zip\r\n\n  2.zip \n../3.zip\n/4.zip\n\
        https://evil.example/5.zip\n//evil.example/6.zip\n2.zip\n7.zip?x\n\u{202e}8.zip\n9.zip";
    let listing = Listing::from_index(text.as_bytes(), &source()).unwrap();
    let names: Vec<_> = listing
        .files
        .iter()
        .map(|file| file.url.strip_prefix("https://cdn.example/c19r/440/").unwrap())
        .collect();
    assert_eq!(names, ["export-440/1592336400-1592338200-00001.zip", "2.zip", "9.zip"]);
    use EntryIssue::{Address, OtherPath, Repeated};
    let expected = [OtherPath, OtherPath, Address, OtherPath, Repeated, Address, Address];
    assert_eq!(listing.skipped, (2..).zip(expected).collect::<Vec<_>>());
    let not_text = Listing::from_index(b"1.zip\n\xff", &source());
    assert_eq!(not_text, Err(ListError::NotText { valid_up_to: 6 }));
}

#[test]
fn a_list_without_end_is_cut() {
    let index: String = (0..11_500).map(|n| format!("{n}.zip\n")).collect();
    let listing = Listing::from_index(index.as_bytes(), &source()).unwrap();
    assert_eq!((listing.files.len(), listing.skipped.len()), (10_000, 1_000));
    assert_eq!(listing.skipped[0], (10_000, EntryIssue::TooMany));
}

fn listing(names: impl IntoIterator<Item = u32>) -> Listing {
    let file = |name| ListedFile { url: format!("https://x/{name}"), created_millis: None };
    Listing { files: names.into_iter().map(file).collect(), skipped: Vec::new() }
}

#[test]
fn one_failing_file_never_stops_the_others() {
    let listing = listing(0..5);
    let mut downloads = Downloads::new();
    let mut fetched = Vec::new();
    let mut now = at(0);
    let mut failures = 0;
    while failures < 12 {
        match downloads.next(&listing, now) {
            Next::Fetch(file) if file.url.ends_with('2') => {
                failures += 1;
                downloads.failed(&file.url, FetchError::Status(404), now);
                let status = downloads.status(&file.url).unwrap();
                assert_eq!((status.failures, status.error), (failures, FetchError::Status(404)));
                let wait = status.not_before.seconds_since(now);
                assert!((300..=86_400).contains(&wait), "{wait}");
            }
            Next::Fetch(file) => {
                let handover = downloads.hand_over(&file.url);
                downloads.matched(&handover, now);
                fetched.push(file.url);
            }
            Next::Wait(until) => {
                assert_eq!(fetched.len(), 4, "the others are matched long before");
                now = until;
            }
            Next::Done => panic!("one file is missing"),
        }
    }
    // A clock that was ahead makes nothing wait for years.
    downloads.failed("https://x/2", FetchError::NoAnswer, Timestamp::MAX);
    assert!(matches!(downloads.next(&listing, now), Next::Fetch(_)));
    assert_eq!(downloads.unmatched(&listing), 1);
}

#[test]
fn an_empty_list_by_mistake_has_nothing_fetched_again() {
    let full = listing(0..3);
    let mut downloads = Downloads::new();
    while let Next::Fetch(file) = downloads.next(&full, at(0)) {
        let handover = downloads.hand_over(&file.url);
        downloads.matched(&handover, at(0));
    }
    downloads.forget_old(&Listing::default(), at(86_400));
    assert_eq!(downloads.next(&full, at(86_400)), Next::Done);
    downloads.forget_old(&Listing::default(), at(31 * 86_400));
    assert!(
        matches!(downloads.next(&full, at(31 * 86_400)), Next::Fetch(_)),
        "in the end it is forgotten"
    );
}

/// A host with two stores that are saved at different moments, and an engine that commits a file's
/// results and its cursor together.
#[derive(Default)]
struct Host {
    saved: String,
    engine_cursor: Option<u64>,
    results: Vec<String>,
}

impl Host {
    fn save(&mut self, downloads: &Downloads) {
        self.saved = serde_json::to_string(downloads).unwrap();
    }

    /// Runs until everything is matched or the process dies after `budget` steps; says whether it
    /// came to the end.
    fn run(&mut self, listing: &Listing, mut budget: u32) -> bool {
        let mut dies = move || {
            budget = budget.saturating_sub(1);
            budget == 0
        };
        let mut downloads: Downloads = serde_json::from_str(&self.saved).unwrap_or_default();
        downloads.recover(self.engine_cursor, at(0));
        if dies() {
            return false;
        }
        self.save(&downloads);
        while let Next::Fetch(file) = downloads.next(listing, at(0)) {
            if dies() {
                return false;
            }
            let handover = downloads.hand_over(&file.url);
            if dies() {
                return false;
            }
            self.save(&downloads);
            if dies() {
                return false;
            }
            self.results.push(handover.url.clone());
            self.engine_cursor = Some(handover.position);
            if dies() {
                return false;
            }
            downloads.matched(&handover, at(0));
            if dies() {
                return false;
            }
            self.save(&downloads);
            if dies() {
                return false;
            }
        }
        true
    }
}

#[test]
fn interrupted_at_every_step_it_loses_nothing_and_repeats_nothing() {
    let listing = listing(0..4);
    let expected: Vec<_> = listing.files.iter().map(|file| file.url.clone()).collect();
    for first in 1..32 {
        for second in 1..32 {
            let mut host = Host::default();
            for budget in [first, second] {
                host.run(&listing, budget);
            }
            assert!(host.run(&listing, u32::MAX));
            assert_eq!(host.results, expected, "died after {first} and {second} steps");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// However the list changes from run to run and wherever the runs die: every file that is ever
    /// listed long enough is matched, and none twice.
    #[test]
    fn every_file_is_matched_once(
        runs in prop::collection::vec((prop::collection::btree_set(0..12_u32, 0..12), 1..20_u32), 1..12),
    ) {
        let mut host = Host::default();
        let mut listed = BTreeSet::new();
        for (names, budget) in runs {
            host.run(&listing(names.clone()), budget);
            listed.extend(names);
        }
        prop_assert!(host.run(&listing(listed.clone()), u32::MAX));
        let matched: BTreeSet<_> = host.results.iter().cloned().collect();
        prop_assert_eq!(matched.len(), host.results.len(), "none twice");
        prop_assert_eq!(matched.len(), listed.len(), "none lost");
    }

    #[test]
    fn no_list_panics(bytes: Vec<u8>, text in "\\PC{0,60}", entries in prop::collection::vec("\\PC{0,40}", 0..4)) {
        let source = source();
        let _ = (Listing::from_cocoa_list(&bytes, &source), Listing::from_index(&bytes, &source));
        let _ = (Source::new("440", &text), Listing::from_index(text.as_bytes(), &source));
        let entries: Vec<_> =
            entries.iter().map(|url| json!({"region": "440", "url": url, "created": 1})).collect();
        let listing = cocoa_list(&entries.into());
        let is_below = |file: &ListedFile| file.url.to_lowercase().starts_with("https://cdn.example/c19r/440/");
        prop_assert!(listing.files.iter().all(is_below));
    }
}
