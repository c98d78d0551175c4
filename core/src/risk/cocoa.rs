//! COCOA's decision (v2.0.1, `ExposureRiskCalculationService`): five conditions over one day, all
//! of which must hold.
//!
//! This is the rule alone; [`super::cocoa_v2`] is the profile around it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::assessment::{ConditionTerm, Quantity};
use super::check::{self, ConfigurationError};
use super::daily_summary::DailySummary;
use super::day::number;
use crate::exposure::ExposureWindow;

/// One condition: how the day's value must relate to a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The relation. An unknown one is refused when the document is read; in COCOA it silently
    /// never held.
    #[serde(deserialize_with = "known")]
    pub op: Relation,
    /// The number on the right-hand side.
    pub value: f64,
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Relation, D::Error> {
    match Relation::deserialize(deserializer)? {
        Relation::Unknown => Err(D::Error::custom("unknown relation")),
        relation => Ok(relation),
    }
}

/// A relation of a [`Condition`], spelled as in COCOA's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Relation {
    /// Holds for every value.
    #[serde(rename = "NOP")]
    Nop,
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// More than.
    #[serde(rename = ">")]
    MoreThan,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Less than.
    #[serde(rename = "<")]
    LessThan,
    /// One that nobody knows. It never holds; a [`Condition`] with one is refused, and only
    /// [`super::cocoa_as_shipped`] makes one.
    #[serde(rename = "unknown")]
    Unknown,
}

impl Relation {
    /// The relation that COCOA's document spells `op`.
    #[must_use]
    pub fn from_document(op: &str) -> Option<Self> {
        match op {
            "NOP" => Some(Self::Nop),
            "=" => Some(Self::Equal),
            ">=" => Some(Self::AtLeast),
            ">" => Some(Self::MoreThan),
            "<=" => Some(Self::AtMost),
            "<" => Some(Self::LessThan),
            _ => None,
        }
    }

    /// Whether `value` relates like this to `threshold`.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "COCOA's `=` compares exactly")]
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Nop => true,
            Self::Equal => value == threshold,
            Self::AtLeast => value >= threshold,
            Self::MoreThan => value > threshold,
            Self::AtMost => value <= threshold,
            Self::LessThan => value < threshold,
            Self::Unknown => false,
        }
    }
}

impl Condition {
    const NOP: Self = Self { op: Relation::Nop, value: 0.0 };

    const fn at_least(value: f64) -> Self {
        Self { op: Relation::AtLeast, value }
    }

    fn term(&self, quantity: Quantity, value: f64) -> ConditionTerm {
        ConditionTerm {
            quantity,
            value,
            relation: self.op,
            threshold: self.value,
            holds: self.op.holds(value, self.value),
        }
    }
}

/// `risk_calculation_configuration.json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskCalculationConfiguration {
    /// Version of the document; 1.
    pub format_version: u32,
    /// On the sum of the day's window scores.
    #[serde(rename = "DailySummary_DaySummary_ScoreSum")]
    pub score_sum: Condition,
    /// On the weighted duration by second of contact.
    #[serde(rename = "DailySummary_DaySummary_WeightedDurationAverage")]
    pub weighted_duration_average: Condition,
    /// On the seconds of all scan instances of the day.
    #[serde(rename = "ExposureWindow_ScanInstance_SecondsSinceLastScanSum")]
    pub seconds_since_last_scan_sum: Condition,
    /// On the greatest typical attenuation of the day.
    #[serde(rename = "ExposureWindow_ScanInstance_TypicalAttenuationDb_Max")]
    pub typical_attenuation_max: Condition,
    /// On the least typical attenuation of the day.
    #[serde(rename = "ExposureWindow_ScanInstance_TypicalAttenuationDb_Min")]
    pub typical_attenuation_min: Condition,
}

impl RiskCalculationConfiguration {
    /// COCOA's production rule: a score of at least 1350 and at least 900 seconds.
    #[must_use]
    pub const fn cocoa() -> Self {
        Self {
            format_version: 1,
            score_sum: Condition::at_least(1350.0),
            weighted_duration_average: Condition::NOP,
            seconds_since_last_scan_sum: Condition::at_least(900.0),
            typical_attenuation_max: Condition::NOP,
            typical_attenuation_min: Condition::NOP,
        }
    }
}

impl RiskCalculationConfiguration {
    const fn conditions(&self) -> [(&'static str, &Condition); 5] {
        [
            ("rule.DailySummary_DaySummary_ScoreSum", &self.score_sum),
            (
                "rule.DailySummary_DaySummary_WeightedDurationAverage",
                &self.weighted_duration_average,
            ),
            (
                "rule.ExposureWindow_ScanInstance_SecondsSinceLastScanSum",
                &self.seconds_since_last_scan_sum,
            ),
            (
                "rule.ExposureWindow_ScanInstance_TypicalAttenuationDb_Max",
                &self.typical_attenuation_max,
            ),
            (
                "rule.ExposureWindow_ScanInstance_TypicalAttenuationDb_Min",
                &self.typical_attenuation_min,
            ),
        ]
    }

    /// Whether the rule can be decided by: known relations, finite numbers, and at least one
    /// condition that asks for something.
    ///
    /// # Errors
    /// What is wrong; the place is below `rule`.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        for (at, condition) in self.conditions() {
            if condition.op == Relation::Unknown {
                return Err(ConfigurationError::UnknownRelation { at: at.to_owned() });
            }
        }
        if self.asks_nothing() {
            return Err(ConfigurationError::AsksNothing { at: "rule".to_owned() });
        }
        self.check_as_shipped()
    }

    /// What COCOA itself would have accepted, short of numbers that are none.
    pub(super) fn check_as_shipped(&self) -> Result<(), ConfigurationError> {
        if self.format_version != 1 {
            return Err(ConfigurationError::FormatVersion {
                expected: 1,
                found: self.format_version,
            });
        }
        let finite = |(at, condition): (&str, &Condition)| {
            check::range(at, condition.value, f64::MIN, f64::MAX)
        };
        self.conditions().into_iter().try_for_each(finite)
    }

    fn asks_nothing(&self) -> bool {
        self.conditions().iter().all(|(_, condition)| condition.op == Relation::Nop)
    }

    /// The five conditions on a day with `summary`, over the scan instances of `windows`.
    ///
    /// Five times NOP is Low in COCOA: a rule that asks for nothing must not notify everybody. So
    /// it has no terms.
    pub(super) fn terms<'a>(
        &self,
        summary: &DailySummary,
        windows: impl IntoIterator<Item = &'a ExposureWindow>,
    ) -> (Vec<ConditionTerm>, u64) {
        let mut seconds_sum = 0_u64;
        let mut typical: Option<(u16, u16)> = None;
        for window in windows {
            seconds_sum = seconds_sum.saturating_add(window.seconds());
            for scan in &window.scan_instances {
                let db = scan.typical_attenuation.db();
                let (least, greatest) = typical.unwrap_or((db, db));
                typical = Some((least.min(db), greatest.max(db)));
            }
        }
        let seconds = number(seconds_sum);
        let average = if seconds > 0.0 { summary.weighted_duration_sum / seconds } else { 0.0 };
        // COCOA compares 0 where a day has no scan instance; such a day has no window here either.
        let (least, greatest) = typical.unwrap_or((0, 0));
        if self.asks_nothing() {
            return (Vec::new(), seconds_sum);
        }
        let terms = vec![
            self.score_sum.term(Quantity::ScoreSum, summary.score_sum),
            self.weighted_duration_average.term(Quantity::WeightedDurationAverage, average),
            self.seconds_since_last_scan_sum.term(Quantity::SecondsSinceLastScanSum, seconds),
            self.typical_attenuation_max
                .term(Quantity::TypicalAttenuationMaximum, f64::from(greatest)),
            self.typical_attenuation_min
                .term(Quantity::TypicalAttenuationMinimum, f64::from(least)),
        ];
        (terms, seconds_sum)
    }
}

impl Default for RiskCalculationConfiguration {
    /// [`RiskCalculationConfiguration::cocoa`].
    fn default() -> Self {
        Self::cocoa()
    }
}
