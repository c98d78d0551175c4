//! How people move: contact networks and walks, from the file to who is told.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;

use chikaku_simulator::scenario::contact_network::{self, ContactNetworkError};
use chikaku_simulator::scenario::{Motion, Scenario};
use chikaku_simulator::world::World;
use proptest::collection::vec;
use proptest::prelude::*;

/// A morning of two classes: Aoi and Ben are together for 40 minutes, Aoi passes Cem for a minute;
/// Dan only ever meets Eve. In the afternoon, Aoi and Ben once more.
fn morning() -> String {
    let mut text = "Time;id1;id2;C1;C2\r\n".to_owned();
    let mut line = |time: u32, pair: &str| text.push_str(&format!("{time};{pair}\r\n"));
    for step in 0..120 {
        line(30_000 + 20 * step, "aoi;ben;A;A");
        line(30_000 + 20 * step, "dan;eve;B;B");
    }
    for step in 0..3 {
        line(33_000 + 20 * step, "aoi;cem;A;A");
    }
    line(33_100, "cem;cem;A;A");
    line(33_120, "cem");
    for step in 0..6 {
        line(50_000 + 20 * step, "ben;aoi;A;A");
    }
    text
}

#[test]
fn a_contact_network_becomes_a_scenario_in_which_those_are_told_who_were_together() {
    let made = contact_network::scenario_of(&morning()).unwrap();
    assert_eq!(made.left_out, [245, 246]);
    let scenario = Scenario::parse(&made.scenario).unwrap();
    let names: Vec<_> = scenario.phones.iter().map(|phone| phone.name.as_str()).collect();
    assert_eq!(names, ["aoi", "ben", "cem", "dan", "eve"]);
    assert_eq!(scenario.stays.len(), 2, "a long pause is a night");
    let (morning, of) = (&scenario.stays[0], |name| names.iter().position(|n| *n == name).unwrap());
    let apart = |one, other, after| {
        let at = morning.from.saturating_add(after);
        morning.distance_m(of(one), of(other), at).unwrap()
    };
    assert_eq!(apart("aoi", "ben", 0), 1.0);
    assert_eq!(apart("ben", "aoi", 2_399), 1.0);
    assert_eq!(apart("aoi", "ben", 2_400), 2.5, "back on their seats");
    assert_eq!(apart("aoi", "cem", 2_999), 5.0);
    assert_eq!(apart("aoi", "cem", 3_000), 1.0);
    assert_eq!(apart("aoi", "cem", 3_060), 5.0);
    assert_eq!(apart("aoi", "dan", 0), 200.0, "another room");
    assert_eq!(made.scenario.matches("[\"aoi\", \"ben\"").count(), 2, "contacts in a row are one");

    let outcome = World::new(&scenario, 1).run(|_| ());
    assert_eq!(outcome.diagnosed().collect::<Vec<_>>(), ["aoi"]);
    assert_eq!(outcome.notified(), ["ben"]);
    let judged = outcome.judgement();
    assert_eq!((judged.missed, judged.falsely), (0, 0));
    let long: Vec<_> = outcome.contacts.iter().filter(|one| one.is_long_and_near()).collect();
    let pairs: Vec<_> =
        long.iter().map(|one| (names[one.one], names[one.other], one.seconds)).collect();
    assert_eq!(pairs, [("aoi", "ben", 2_400), ("dan", "eve", 2_400)]);
}

#[test]
fn other_separators_do_and_what_is_no_network_is_refused() {
    for separator in [" ", "\t", ",", ", "] {
        let text = morning().replace(';', separator).replace("\r\n", "\n");
        let made = contact_network::scenario_of(&text).unwrap();
        assert_eq!(made, contact_network::scenario_of(&morning()).unwrap(), "{separator:?}");
    }
    for text in ["", "Time;id1;id2", "1;a", "a;b;c\nd;e;f", "99999999999999999999;a;b"] {
        let refused = contact_network::scenario_of(text);
        assert_eq!(refused, Err(ContactNetworkError::Empty), "{text:?}");
    }
    let long = contact_network::scenario_of("0 a b\n9000000 a b");
    assert_eq!(long, Err(ContactNetworkError::TooLong));
    // Names are quoted as TOML wants it.
    let odd = contact_network::scenario_of("0 a\"b\\ \u{1f} x\n20 ] =").unwrap();
    assert!(Scenario::parse(&odd.scenario).is_ok(), "{}", odd.scenario);
}

proptest! {
    #[test]
    fn any_lines_make_a_scenario_or_an_error(
        lines in vec((-90_000_i64..90_000, "[a-d\"\\\\\u{7f}é=#]{1,2}", "\\PC{0,3}", "[ ;,\t]"), 0..60),
        noise in "\\PC{0,20}",
    ) {
        let line = |(time, one, other, separator): &(i64, String, String, String)| {
            format!("{time}{separator}{one}{separator}{other}\n")
        };
        let text: String = lines.iter().map(line).chain([noise]).collect();
        let Ok(made) = contact_network::scenario_of(&text) else { return Ok(()) };
        let scenario = Scenario::parse(&made.scenario).unwrap();
        let people: BTreeSet<_> = scenario.stays.iter().flat_map(|s| s.positions.keys()).collect();
        prop_assert_eq!(people.len(), scenario.phones.len());
        prop_assert!(made.left_out.len() <= lines.len() + 1);
    }
}

#[test]
fn who_walks_stays_in_the_hall_at_their_pace_and_is_where_they_are_under_every_seed() {
    let text = include_str!("../scenarios/walking_about.toml");
    let scenario = Scenario::parse(text).unwrap();
    assert_eq!(Scenario::parse(text).unwrap(), scenario);
    let stay = &scenario.stays[0];
    let Motion::Tracks(tracks) = &stay.motion else { panic!("nobody walks") };
    assert_eq!(tracks.len(), 8);
    let mut legs = 0;
    for track in tracks.values() {
        assert!(track.0.last().unwrap().0 >= 7_200, "to the end");
        let positions: Vec<_> = (0..7_200).map(|second| track.at(second).unwrap()).collect();
        for pair in positions.windows(2) {
            let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
            assert!(dx.hypot(dy) <= 1.2 + 1e-9, "{pair:?}");
            assert!((0.0..=60.0).contains(&pair[1][0]) && (0.0..=40.0).contains(&pair[1][1]));
        }
        let rests = positions.windows(90).filter(|rest| rest.iter().all(|at| *at == rest[0]));
        legs += rests.count();
    }
    assert!(legs > 8 * 20, "{legs} rests of a minute and a half");
    assert!(tracks.values().next() != tracks.values().nth(1), "everybody goes their own way");
}
