//! COCOA's decision (v2.0.1, `ExposureRiskCalculationService`): five conditions over one day, all
//! of which must hold.
//!
//! One difference is deliberate. COCOA evaluated only the windows that were new in a batch of
//! keys, so a contact that arrived in two batches never notified; here the whole day counts.

use serde::{Deserialize, Serialize};

use crate::exposure::ExposureWindow;
use crate::risk::RiskLevel;
use crate::risk::daily_summary::DailySummary;
use crate::time::UtcDay;

/// One condition: how the day's value must relate to a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The relation. An unknown one is refused when the document is read; in COCOA it silently
    /// never held.
    pub op: Relation,
    /// The number on the right-hand side.
    pub value: f64,
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
}

impl Condition {
    const NOP: Self = Self { op: Relation::Nop, value: 0.0 };

    const fn at_least(value: f64) -> Self {
        Self { op: Relation::AtLeast, value }
    }

    #[expect(clippy::float_cmp, reason = "COCOA's `=` compares exactly")]
    fn holds(&self, day: f64) -> bool {
        match self.op {
            Relation::Nop => true,
            Relation::Equal => day == self.value,
            Relation::AtLeast => day >= self.value,
            Relation::MoreThan => day > self.value,
            Relation::AtMost => day <= self.value,
            Relation::LessThan => day < self.value,
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

impl Default for RiskCalculationConfiguration {
    /// [`RiskCalculationConfiguration::cocoa`].
    fn default() -> Self {
        Self::cocoa()
    }
}

/// A day's level and the numbers it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayAssessment {
    /// The UTC day.
    pub day: UtcDay,
    /// The decision.
    pub level: RiskLevel,
    /// The day's summary.
    pub summary: DailySummary,
    /// Seconds of all the day's scan instances.
    pub seconds_since_last_scan_sum: u64,
}

/// Decides `summary`'s day over all of `windows` that lie on it.
#[must_use]
pub fn assess<'a>(
    summary: DailySummary,
    windows: impl IntoIterator<Item = &'a ExposureWindow>,
    configuration: &RiskCalculationConfiguration,
) -> DayAssessment {
    let mut seconds_since_last_scan_sum = 0;
    let mut typical: Option<(u16, u16)> = None;
    let of_this_day = |window: &&ExposureWindow| window.day() == summary.day && window.may_count();
    for window in windows.into_iter().filter(of_this_day) {
        seconds_since_last_scan_sum += window.seconds();
        for scan in &window.scan_instances {
            let db = scan.typical_attenuation.db();
            let (least, greatest) = typical.unwrap_or((db, db));
            typical = Some((least.min(db), greatest.max(db)));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of a day are far below 2^53")]
    let seconds = seconds_since_last_scan_sum as f64;
    let average = if seconds > 0.0 { summary.weighted_duration_sum / seconds } else { 0.0 };
    // COCOA compares 0 where a day has no scan instance; such a day has no window here either.
    let (least, greatest) = typical.unwrap_or((0, 0));

    let conditions = [
        (configuration.score_sum, summary.score_sum),
        (configuration.weighted_duration_average, average),
        (configuration.seconds_since_last_scan_sum, seconds),
        (configuration.typical_attenuation_max, f64::from(greatest)),
        (configuration.typical_attenuation_min, f64::from(least)),
    ];
    // Five times NOP is Low in COCOA: a rule that asks for nothing must not notify everybody.
    let asks_nothing = conditions.iter().all(|(condition, _)| condition.op == Relation::Nop);
    // A rule of upper bounds alone must not notify of a day on which nothing counts.
    let something_counts = summary.windows > 0;
    let high = something_counts
        && !asks_nothing
        && conditions.iter().all(|(condition, day)| condition.holds(*day));
    DayAssessment {
        day: summary.day,
        level: if high { RiskLevel::High } else { RiskLevel::Low },
        summary,
        seconds_since_last_scan_sum,
    }
}
