//! What is compared, and how far apart two samples of it are.

use serde::Serialize;

use super::{Opportunity, mean};

/// Upper edges of the bins of distance, in metres.
const BIN_EDGES_M: [f64; 7] = [1.0, 1.5, 2.0, 2.5, 3.5, 5.0, 7.0];
/// Fewer than these in a bin of distance say nothing.
const LEAST_IN_BIN: usize = 5;
/// Fewer than these have no distribution.
const LEAST_IN_SAMPLE: usize = 10;
/// Fewer packets than these have no spread.
const LEAST_PACKETS: usize = 3;
/// Quantiles at which two distributions are compared.
const QUANTILES: usize = 200;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// Packets in a scan, none included.
    PacketsInScan,
    /// Mean attenuation of a scan that heard something, dB.
    AttenuationOfScan,
    /// Standard deviation of attenuation in a scan of at least three packets, dB.
    SpreadInScan,
    /// Share of scans that heard something, by distance.
    HeardByDistance,
    /// Mean attenuation, by distance, dB.
    AttenuationByDistance,
}

impl Statistic {
    pub(super) const ALL: [Self; 5] = [
        Self::PacketsInScan,
        Self::AttenuationOfScan,
        Self::SpreadInScan,
        Self::HeardByDistance,
        Self::AttenuationByDistance,
    ];

    /// In words, with the unit.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::PacketsInScan => "packets in a scan",
            Self::AttenuationOfScan => "attenuation of a scan, dB",
            Self::SpreadInScan => "spread in a scan, dB",
            Self::HeardByDistance => "share of scans heard, by distance",
            Self::AttenuationByDistance => "attenuation by distance, dB",
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 14")]
    fn of(self, one: &Opportunity) -> Option<f64> {
        let packets = &one.attenuations_db;
        match self {
            Self::PacketsInScan => Some(packets.len() as f64),
            Self::AttenuationOfScan | Self::AttenuationByDistance => mean(packets),
            Self::SpreadInScan => {
                let centre = mean(packets).filter(|_| packets.len() >= LEAST_PACKETS)?;
                let squares: f64 = packets.iter().map(|db| (db - centre) * (db - centre)).sum();
                Some(libm::sqrt(squares / (packets.len() - 1) as f64))
            }
            Self::HeardByDistance => Some(if packets.is_empty() { 0.0 } else { 1.0 }),
        }
    }

    pub(super) fn mean(self, all: &[Opportunity]) -> Option<f64> {
        mean(&self.sample(all))
    }

    fn sample(self, all: &[Opportunity]) -> Vec<f64> {
        all.iter().filter_map(|one| self.of(one)).collect()
    }

    /// How far two samples are apart, in the statistic's unit: the mean difference of their
    /// quantiles (Wasserstein), or of their means in bins of distance.
    pub(super) fn distance(self, one: &[Opportunity], other: &[Opportunity]) -> Option<f64> {
        match self {
            Self::PacketsInScan | Self::AttenuationOfScan | Self::SpreadInScan => {
                wasserstein(self.sample(one), self.sample(other))
            }
            Self::HeardByDistance | Self::AttenuationByDistance => self.by_distance(one, other),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    fn by_distance(self, one: &[Opportunity], other: &[Opportunity]) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        let mut low = 0.0;
        for high in BIN_EDGES_M {
            let within = |all: &[Opportunity]| -> Vec<f64> {
                let here = all.iter().filter(|o| low <= o.distance_m && o.distance_m < high);
                here.filter_map(|one| self.of(one)).collect()
            };
            let (a, b) = (within(one), within(other));
            if a.len() >= LEAST_IN_BIN && b.len() >= LEAST_IN_BIN {
                let size = a.len().min(b.len()) as f64;
                sum += size * (mean(&a)? - mean(&b)?).abs();
                weight += size;
            }
            low = high;
        }
        (weight > 0.0).then_some(sum / weight)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn wasserstein(mut one: Vec<f64>, mut other: Vec<f64>) -> Option<f64> {
    if one.len() < LEAST_IN_SAMPLE || other.len() < LEAST_IN_SAMPLE {
        return None;
    }
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], step: usize| {
        let index = (2 * step + 1) * sorted.len() / (2 * QUANTILES);
        sorted.get(index.min(sorted.len() - 1)).copied()
    };
    let apart = (0..QUANTILES).filter_map(|step| Some((at(&one, step)? - at(&other, step)?).abs()));
    Some(apart.sum::<f64>() / QUANTILES as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_its_own_distance() {
        let sample = |by: f64| (0..100).map(|i| f64::from(i) + by).collect::<Vec<_>>();
        let apart = wasserstein(sample(0.0), sample(3.0)).unwrap();
        assert!((apart - 3.0).abs() < 1e-9, "{apart}");
        assert_eq!(wasserstein(sample(0.0), sample(0.0)), Some(0.0));
        assert_eq!(wasserstein(sample(0.0), vec![1.0]), None);
    }
}
