//! CPU time of work that takes turns.

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;

/// CPU time of this thread for `work`.
pub fn cpu_time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = ThreadTime::now();
    black_box(work());
    start.elapsed()
}

/// The middle one of several times.
#[must_use]
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Something that is measured, and how many things one call of it works on.
pub struct Contestant<'a> {
    /// What one call does.
    pub work: Box<dyn FnMut() + 'a>,
    /// How many keys, blocks or bytes that are.
    pub count: usize,
}

impl core::fmt::Debug for Contestant<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Contestant").field("count", &self.count).finish_non_exhaustive()
    }
}

impl<'a> Contestant<'a> {
    /// A contestant that works on `count` things a call.
    pub fn new(count: usize, work: impl FnMut() + 'a) -> Self {
        Self { work: Box::new(work), count }
    }
}

/// Nanoseconds of CPU time for each thing a contestant works on: all contestants in turns, `rounds`
/// times after one that does not count, the median of each.
pub fn in_turns(rounds: usize, contestants: &mut [Contestant<'_>]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let time = cpu_time(&mut contestant.work);
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians = times.iter_mut().map(|times| median(times));
    medians.zip(contestants).map(|(time, c)| time.as_secs_f64() * 1e9 / c.count as f64).collect()
}
