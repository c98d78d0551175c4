//! Which attenuations tell a profile's behaviour apart.

use super::reach::demands;
use super::requirements::GREATEST_ATTENUATION_DB;
use super::terms::Terms;
use crate::risk::RiskProfile;
use crate::risk::assessment::Quantity;
use crate::signal::AttenuationDb;

/// Most plateaus that are tried; a scale that falls with every dB has more.
const MOST_PLACES: usize = 20;
/// What phones hear ends about here; beyond it only the nearest place of a plateau is tried.
const FARTHEST_HEARD_DB: u16 = 100;

/// The middle of each range of attenuations that weigh the same, and both sides of every threshold
/// that a condition sets on an attenuation; ascending.
pub(super) fn worth_trying(profile: &RiskProfile, terms: &Terms) -> Vec<AttenuationDb> {
    let plausible: Vec<(u16, f64)> = (0_u16..)
        .zip(&terms.by_attenuation)
        .filter_map(|(db, weight)| weight.map(|weight| (db, weight)))
        .collect();
    let plateaus = plausible.chunk_by(|one, next| one.1.total_cmp(&next.1).is_eq());
    let middle = |run: &[(u16, f64)]| {
        let heard = run.iter().take_while(|(db, _)| *db <= FARTHEST_HEARD_DB).count();
        run.get(heard / 2).map(|(db, _)| *db)
    };
    let middles: Vec<u16> = plateaus.filter_map(middle).collect();
    let step = middles.len().div_ceil(MOST_PLACES).max(1);
    let mut places: Vec<u16> = middles.into_iter().step_by(step).collect();
    for demand in demands(profile) {
        let on_attenuation = matches!(
            demand.quantity,
            Quantity::TypicalAttenuationMaximum | Quantity::TypicalAttenuationMinimum
        );
        if on_attenuation {
            let beside = |db: &u16| (f64::from(*db) - demand.threshold).abs() < 2.0;
            places.extend((0..=GREATEST_ATTENUATION_DB).filter(beside));
        }
    }
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(AttenuationDb::from_db).collect()
}
