//! Keys in memory against logs of every size and shape.

use chikaku_core::matching::{InstructionSet, Matcher, MatchingRules, SightingIndex, Strategy};
use chikaku_core::time::Timestamp;

use crate::export_keys;
