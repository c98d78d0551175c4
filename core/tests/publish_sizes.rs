//! The size of a request says nothing: neither how many keys it holds, nor whether it is a decoy.
//! Two samples of 10,000 each, compared by the two-sample Kolmogorov–Smirnov test.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod publish_support;

use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::{Endpoint, Request, UploadQueue};
use publish_support::{
    cocoa, exposure_server, keys, now, number, release, request, request_of, rng, taking_visits,
    visits, with_visits,
};
use rand_chacha::ChaCha20Rng;

const SAMPLES: usize = 10_000;
/// Critical value of the statistic at a level of 0.001 for two samples of 10,000:
/// 1.949 · √(2 / 10,000).
const CRITICAL: f64 = 0.02756;

/// Bytes that go over the wire: the request line, headers and body.
fn wire_bytes(request: &Request) -> usize {
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
    request.path.len() + headers.sum::<usize>() + request.body.len()
}

fn sizes(
    endpoint: &Endpoint,
    seed: u64,
    fill: impl Fn(&mut UploadQueue, &mut ChaCha20Rng),
) -> Vec<usize> {
    let mut rng = rng(seed);
    let mut sizes: Vec<_> = (0..SAMPLES)
        .map(|_| {
            let mut queue = UploadQueue::new();
            fill(&mut queue, &mut rng);
            let call = request(&mut queue, endpoint, now(), &mut rng);
            wire_bytes(&request_of(call))
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

/// The largest distance between the two samples' distribution functions.
fn kolmogorov_smirnov(one: &[usize], other: &[usize]) -> f64 {
    let share = |sorted: &[usize], size: usize| {
        let below = sorted.partition_point(|other| *other <= size);
        f64::from(u32::try_from(below).unwrap()) / f64::from(u32::try_from(sorted.len()).unwrap())
    };
    let all = one.iter().chain(other);
    all.map(|size| (share(one, *size) - share(other, *size)).abs()).fold(0.0, f64::max)
}

/// Uploads with and without visits, to a server that takes them.
fn uploads_with_visits(endpoint: &Endpoint, seed: u64, count: u32) -> Vec<usize> {
    let diary = visits(count);
    let keys = keys(5, &mut rng(seed));
    sizes(endpoint, seed, |queue, rng| {
        let request = with_visits(14);
        let released = request.release_with_visits(&keys, &mut diary.clone(), now(), rng);
        queue.add(released.unwrap().0, number(), rng);
    })
}

fn uploads(endpoint: &Endpoint, seed: u64, days: u32) -> Vec<usize> {
    sizes(endpoint, seed, |queue, rng| {
        queue.add(release(days, rng), number(), rng);
    })
}

#[test]
fn decoys_are_as_long_as_uploads() {
    let mut seed = 100;
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let decoys = sizes(&endpoint, seed, |queue, rng| queue.add_decoy(now(), rng));
        for days in [1, 5, 14] {
            seed += 1;
            let statistic = kolmogorov_smirnov(&uploads(&endpoint, seed, days), &decoys);
            assert!(statistic < CRITICAL, "{endpoint:?}, {days} days: {statistic}");
        }
        // The test is one: two requests that differ by a tenth of the jitter are told apart.
        let longer: Vec<_> = decoys.iter().map(|size| size + 102).collect();
        assert!(kolmogorov_smirnov(&longer, &decoys) > CRITICAL);
        let jitter = decoys.last().unwrap() - decoys.first().unwrap();
        assert!((1_000..1_024).contains(&jitter), "{jitter}");
        assert!(*decoys.last().unwrap() < 64 << 10);
    }
}

/// A number of visits, none among them, is hidden in the size of every request.
#[test]
fn uploads_with_visits_are_as_long_as_those_without_and_as_decoys() {
    let mut seed = 200;
    for endpoint in [cocoa(Version::V3), exposure_server()] {
        let endpoint = taking_visits(endpoint);
        let decoys = sizes(&endpoint, seed, |queue, rng| queue.add_decoy(now(), rng));
        let without = uploads(&endpoint, seed + 1, 5);
        assert!(kolmogorov_smirnov(&without, &decoys) < CRITICAL, "{endpoint:?}, without");
        for count in [1, 150] {
            seed += 2;
            let with = uploads_with_visits(&endpoint, seed, count);
            let statistic = kolmogorov_smirnov(&with, &decoys);
            assert!(statistic < CRITICAL, "{endpoint:?}, {count} visits: {statistic}");
        }
        assert!(*decoys.last().unwrap() < 64 << 10);
    }
}
