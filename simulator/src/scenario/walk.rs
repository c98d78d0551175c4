//! Random waypoint: everybody goes to a place of their own choice, rests, and goes on.
//!
//! The way somebody walks belongs to the scenario, not to the luck of a run: it depends on the names of
//! the place and the phone only, and is the same under every seed.

use super::stay::Track;
use crate::radio::uniform;
use crate::world::randomness::Randomness;

/// How people walk about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Walk {
    pub(super) metres_per_second: f64,
    pub(super) pause_seconds: u32,
    /// Width and depth of the floor, from the origin.
    pub(super) floor_m: [f64; 2],
}

impl Walk {
    /// The track of `phone` for `seconds`, from `start` on.
    pub(super) fn track(&self, place: &str, phone: &str, start: [f64; 2], seconds: u32) -> Track {
        let mut rng = Randomness::new(0).stream("walk", &[place, phone]);
        let (mut at, mut here) = (0_u32, start);
        let mut points = vec![(at, here)];
        while at < seconds {
            let there = self.floor_m.map(|metres| metres * uniform(&mut rng));
            let [dx, dy] = [there[0] - here[0], there[1] - here[1]];
            let metres = libm::sqrt(dx * dx + dy * dy);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a floor")]
            let walked = (libm::ceil(metres / self.metres_per_second) as u32).max(1);
            at = at.saturating_add(walked);
            here = there;
            points.push((at, here));
            if self.pause_seconds > 0 {
                at = at.saturating_add(self.pause_seconds);
                points.push((at, here));
            }
        }
        Track(points)
    }
}
