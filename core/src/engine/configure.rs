//! A new risk profile comes into force, or the one before it stays.

use super::{Engine, NewConfiguration, Output, State, Turn};
use crate::encounter_log::{AcceptedConfiguration, EncounterLog};
use crate::risk::RiskProfile;
use crate::validation::offer;

impl<L: EncounterLog> Engine<L> {
    pub(super) fn configure(
        &self,
        new: NewConfiguration<'_>,
        state: &mut State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let validated = match offer(new.json, &self.configuration.requirements) {
            Ok(validated) => validated,
            Err(refused) => {
                state.record.configuration_rejected = true;
                turn.outputs.push(Output::ConfigurationRefused(Box::new(refused)));
                return Ok(());
            }
        };
        turn.outputs.push(Output::Configured { warnings: validated.warnings() });
        state.record.configuration_rejected = false;
        state.record.accepted = Some(AcceptedConfiguration {
            profile: validated.profile().clone(),
            version: new.version.map(ToOwned::to_owned),
        });
        turn.judge_all_days = true;
        self.match_again(state, turn)
    }

    /// The profile in force.
    #[must_use]
    pub fn profile(&self) -> &RiskProfile {
        self.profile_of(&self.state)
    }

    pub(super) fn profile_of<'a>(&'a self, state: &'a State) -> &'a RiskProfile {
        state.record.accepted.as_ref().map_or(&self.configuration.profile, |new| &new.profile)
    }
}
