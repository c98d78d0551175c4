//! Reading everything, changing nothing.

use std::sync::Arc;

use chikaku_core::encounter_log::EncounterLog;

use super::{DurableLog, Recovery};
use crate::disk::Disk;
use crate::drawers::Credentials;
use crate::error::LogError;
use crate::seal::RootKey;

/// What a log holds that was found to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Sightings.
    pub sightings: u64,
    /// Everything else.
    pub records: u64,
    /// What the next opening will have to make good.
    pub recovery: Recovery,
}

impl DurableLog {
    /// Reads every record of the log on `disk`.
    ///
    /// # Errors
    /// Those of [`DurableLog::open`].
    pub fn verify(disk: Arc<dyn Disk>, root: &RootKey) -> Result<Verified, LogError> {
        Self::marker_on(&*disk)?.ok_or(LogError::Absent)?;
        let log = Self::load(disk, Credentials::of(root))?;
        let mut sightings = 0;
        log.visit_sightings(&mut |_| sightings += 1)?;
        let records = log.content.changes().len() as u64;
        Ok(Verified { sightings, records, recovery: log.recovery })
    }
}
