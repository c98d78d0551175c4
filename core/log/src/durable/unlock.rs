//! Taking over what was heard before the first unlock.

use chikaku_core::encounter_log::Change;

use super::DurableLog;
use crate::error::LogError;
use crate::spool;
use crate::stored::StoredChange;

/// What was taken over from the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolMerge {
    /// Scans that were merged.
    pub scans: u64,
    /// Their sightings.
    pub sightings: u64,
    /// Bytes that belong to no whole scan: one that was not acknowledged, or was damaged.
    pub unreadable_bytes: u64,
}

impl DurableLog {
    /// Takes over everything from the spool, each scan exactly once, wherever the process dies.
    /// The engine has not seen these scans: what it would have dropped, such as this phone's own
    /// identifiers, is dropped when keys are matched.
    ///
    /// # Errors
    /// The medium's. What was not taken over is still in the spool.
    pub fn merge_spool(&mut self) -> Result<SpoolMerge, LogError> {
        self.refresh()?;
        let mut merge = SpoolMerge::default();
        while let Some(spooled) = spool::take(&*self.disk, self.drawers.spool_keys())? {
            if self.content.spool_taken != Some(spooled.name) {
                merge.scans += spooled.scans;
                merge.sightings += spooled.sightings.len() as u64;
                merge.unreadable_bytes += spooled.unreadable_bytes;
                let changes = [Change::Sightings(spooled.sightings)];
                self.append(&changes, Some(StoredChange::SpoolTaken(spooled.name)))?;
            }
            spool::discard(&*self.disk)?;
            self.change_spool_key()?;
        }
        Ok(merge)
    }

    /// Removes what was not taken over, and makes what may be left of it worthless.
    pub(super) fn destroy_spool(&mut self) -> Result<(), LogError> {
        if spool::destroy(&*self.disk)? {
            self.change_spool_key()?;
        }
        Ok(())
    }

    /// Old spools that the medium may still hold cannot be opened after this. Both keys are kept
    /// until the new one is where the spool finds it.
    fn change_spool_key(&mut self) -> Result<(), LogError> {
        let mut drawers = self.drawers.clone();
        drawers.add_spool_key()?;
        drawers.save(&*self.disk)?;
        self.drawers = drawers;
        spool::publish_key(&*self.disk, self.drawers.spool_keys().last())?;
        let mut drawers = self.drawers.clone();
        drawers.drop_old_spool_keys();
        drawers.save(&*self.disk)?;
        self.drawers = drawers;
        Ok(())
    }
}
