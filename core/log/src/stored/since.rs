//! What changed of a record since the one before it.
//!
//! Each scan writes the engine's record, most of which is a configuration and rules that stay as they
//! are: written whole, it is four times the scan.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Json;
use crate::codec::Undecodable;
use crate::seal::checksum;

/// A change of one JSON record to another.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Since {
    /// Names the record before: nothing else can be changed by this.
    before: [u8; 16],
    change: Patch,
}

/// A change of one JSON value to another.
#[derive(Clone, Serialize, Deserialize)]
enum Patch {
    Same,
    /// Another value, as JSON.
    Whole(String),
    /// An object with the same members, some of which changed.
    Members(Vec<(String, Self)>),
}

impl Since {
    /// `None` if either is not JSON.
    pub(super) fn between(before: &Json, after: &Json) -> Option<Self> {
        let values = (value(before).ok()?, value(after).ok()?);
        Some(Self { before: name(before), change: Patch::between(&values.0, &values.1) })
    }

    /// The record after this change of `before`.
    pub(super) fn apply(&self, before: &Json) -> Result<Json, Undecodable> {
        if self.before != name(before) {
            return Err(Undecodable);
        }
        let mut record = value(before)?;
        self.change.apply(&mut record)?;
        Ok(Json(record.to_string()))
    }
}

fn name(record: &Json) -> [u8; 16] {
    checksum(&[record.0.as_bytes()])
}

fn value(record: &Json) -> Result<Value, Undecodable> {
    serde_json::from_str(&record.0).map_err(|_| Undecodable)
}

impl Patch {
    fn between(before: &Value, after: &Value) -> Self {
        if before == after {
            return Self::Same;
        }
        let (Value::Object(old), Value::Object(new)) = (before, after) else {
            return Self::Whole(after.to_string());
        };
        if old.len() != new.len() || !new.keys().all(|member| old.contains_key(member)) {
            return Self::Whole(after.to_string());
        }
        let changed = new.iter().filter_map(|(name, new)| {
            let old = old.get(name).filter(|old| *old != new)?;
            Some((name.clone(), Self::between(old, new)))
        });
        Self::Members(changed.collect())
    }

    fn apply(&self, value: &mut Value) -> Result<(), Undecodable> {
        match self {
            Self::Same => {}
            Self::Whole(json) => *value = serde_json::from_str(json).map_err(|_| Undecodable)?,
            Self::Members(members) => {
                for (name, change) in members {
                    change.apply(value.get_mut(name).ok_or(Undecodable)?)?;
                }
            }
        }
        Ok(())
    }
}
