//! Waiting times in whole days.

use super::draw::unit;

/// A distribution over 0, 1, 2 … days, as its cumulative probabilities.
#[derive(Clone, Debug)]
pub(crate) struct Days {
    cumulative: Vec<f64>,
}

/// Longer than this nobody waits.
const LONGEST: usize = 100;
/// Steps in a day of the numerical integral.
const STEPS: usize = 64;

impl Days {
    /// A gamma distribution, rounded to whole days.
    pub(crate) fn gamma(mean: f64, deviation: f64) -> Self {
        let density = Gamma::new(mean, deviation);
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (0..LONGEST)
            .map(|day| {
                let from = if day == 0 { 0.0 } else { number(day) - 0.5 };
                sum += density.between(from, number(day) + 0.5);
                sum
            })
            .collect();
        normalize(&mut cumulative);
        Self { cumulative }
    }

    /// The two whole days around `mean`, mixed so that it is the mean.
    pub(crate) fn around(mean: f64) -> Self {
        let whole = libm::floor(mean);
        let cumulative =
            (0..LONGEST).map(|day| (number(day) - whole + 1.0 - (mean - whole)).clamp(0.0, 1.0));
        Self { cumulative: cumulative.collect() }
    }

    /// The day that `bits` draw.
    pub(crate) fn draw(&self, bits: u64) -> u16 {
        let drawn = unit(bits);
        let day = self.cumulative.partition_point(|sum| *sum <= drawn);
        u16::try_from(day).unwrap_or(u16::MAX)
    }

    /// The share of each day, counted from the first: how infectious somebody is on day 1, 2 …
    /// after the infection.
    pub(crate) fn curve(mean: f64, deviation: f64, days: usize) -> Vec<f64> {
        let density = Gamma::new(mean, deviation);
        let mut shares: Vec<f64> =
            (0..days).map(|day| density.between(number(day), number(day + 1))).collect();
        let sum: f64 = shares.iter().sum();
        for share in &mut shares {
            *share /= sum;
        }
        shares
    }
}

/// Equal steps of a gamma distribution with mean 1, for a factor that differs between people.
pub(crate) fn factors(deviation: f64) -> Vec<f64> {
    if deviation <= 0.0 {
        return vec![1.0];
    }
    const CLASSES: usize = 256;
    let density = Gamma::new(1.0, deviation);
    let mut factors = Vec::with_capacity(CLASSES);
    let (mut sum, mut weighted) = (0.0, 0.0);
    // Much of a flat distribution lies near 0: the steps grow with the factor.
    let mut at = 1e-9;
    while factors.len() + 1 < CLASSES && at < 60.0 {
        let next = at * 1.03;
        let share = density.between(at, next);
        sum += share;
        weighted += share * f64::midpoint(at, next);
        at = next;
        while sum * number(CLASSES) >= 1.0 && factors.len() + 1 < CLASSES {
            let part = 1.0 / number(CLASSES) / sum;
            factors.push(weighted * part * number(CLASSES));
            weighted *= 1.0 - part;
            sum *= 1.0 - part;
        }
    }
    // The last class takes what is missing to a mean of 1.
    let rest = number(CLASSES) - factors.iter().sum::<f64>();
    factors.push(rest.max(0.0));
    factors
}

struct Gamma {
    shape: f64,
    scale: f64,
    logarithm_of_norm: f64,
}

impl Gamma {
    fn new(mean: f64, deviation: f64) -> Self {
        let scale = deviation * deviation / mean;
        let shape = mean / scale;
        Self { shape, scale, logarithm_of_norm: libm::lgamma(shape) + shape * libm::log(scale) }
    }

    fn between(&self, from: f64, to: f64) -> f64 {
        let step = (to - from) / number(STEPS);
        // Midpoints: the density of a shape below 1 has no value at 0.
        let density = |index| {
            let at: f64 = from + (number(index) + 0.5) * step;
            libm::exp((self.shape - 1.0) * libm::log(at) - at / self.scale - self.logarithm_of_norm)
        };
        (0..STEPS).map(density).sum::<f64>() * step
    }
}

fn normalize(cumulative: &mut [f64]) {
    let Some(&last) = cumulative.last() else { return };
    for sum in cumulative.iter_mut() {
        *sum /= last;
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn number(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::super::draw::mixed;
    use super::*;

    fn mean(days: &Days) -> f64 {
        (0..50_000).map(|draw| f64::from(days.draw(mixed(draw)))).sum::<f64>() / 50_000.0
    }

    #[test]
    fn means_are_what_was_asked_for() {
        assert!((mean(&Days::gamma(5.42, 2.7)) - 5.42).abs() < 0.05);
        assert!((mean(&Days::around(2.27)) - 2.27).abs() < 0.02);
        let factors = factors(1.4);
        assert!((factors.iter().sum::<f64>() / number(factors.len()) - 1.0).abs() < 1e-9);
        assert!(factors.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{factors:?}");
        assert!((Days::curve(5.5, 2.14, 20).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
