//! Merging the journal into the pages, and destroying the keys of what is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chikaku_core::time::UtcDay;

use super::{DurableLog, in_pages};
use crate::codec;
use crate::content::Ledgers;
use crate::drawers::{DrawerId, Drawers};
use crate::error::LogError;
use crate::journal::Journal;
use crate::pages::{Batch, Pages, Place};
use crate::seal::checksum;
use crate::stored::{ScanGroup, chunks};

/// What maintenance found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// Length of the database before.
    pub bytes_before: u64,
    /// Length of the database now.
    pub bytes_after: u64,
}

/// One checkpoint in the making.
struct Plan {
    drawers: Drawers,
    dead: Vec<DrawerId>,
    batch: Batch,
    ledgers: BTreeMap<DrawerId, [u8; 16]>,
    chunks: Vec<(Place, UtcDay)>,
    last_slot: u64,
}

impl DurableLog {
    /// Merges the journal, makes up for an erasure that failed, and gives space back. Once a day
    /// is enough. What is old enough to be forgotten is the engine's decision, not this one's:
    /// see [`Change::Forget`](chikaku_core::encounter_log::Change::Forget).
    ///
    /// # Errors
    /// The medium's.
    pub fn maintain(&mut self) -> Result<Maintenance, LogError> {
        self.refresh()?;
        let bytes_before = self.pages.length()?;
        self.checkpoint_and(0, Pages::compact)?;
        Ok(Maintenance { bytes_before, bytes_after: self.pages.length()? })
    }

    /// Whether there are keys of nothing, or of what is forgotten.
    pub(super) fn erasure_is_due(&self) -> bool {
        self.days_with_content().is_ok_and(|days| !self.dead(&days).is_empty())
    }

    /// Merges the journal into the pages, destroys the keys of forgotten days, and starts a
    /// journal with room for a payload of `room` bytes. If it fails, the log reads itself anew
    /// from disk, now or before the next commit.
    pub(super) fn checkpoint(&mut self, room: usize) -> Result<(), LogError> {
        self.checkpoint_and(room, |_| Ok(()))
    }

    fn checkpoint_and(
        &mut self,
        room: usize,
        then: impl FnOnce(&mut Pages) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let done = self.try_checkpoint(room, then);
        if done.is_err() {
            self.is_stale = true;
            let _ = self.refresh();
        }
        done
    }

    fn try_checkpoint(
        &mut self,
        room: usize,
        then: impl FnOnce(&mut Pages) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        self.journal.begin_merging()?;
        let Plan { mut drawers, dead, batch, ledgers, chunks, last_slot } = self.plan()?;
        // A key is durable before anything is sealed under it.
        if drawers.ids().ne(self.drawers.ids()) || !dead.is_empty() {
            drawers.save(&*self.disk)?;
        }
        let forgotten = if dead.is_empty() { Vec::new() } else { self.pages.sealed_in(&dead)? };
        let merged = batch.merged;
        self.pages.write(batch)?;
        if !dead.is_empty() {
            // The records are gone from the tree. Now nothing that is left of them can be opened,
            // and then they are overwritten.
            dead.iter().for_each(|drawer| drawers.destroy(*drawer));
            drawers.save(&*self.disk)?;
            self.pages.scrub(&forgotten)?;
        }
        then(&mut self.pages)?;
        self.journal = Journal::create(&*self.disk, merged, self.pages.settle()?, room)?;
        self.drawers = drawers;
        self.ledgers = ledgers;
        self.content.scans.settle(chunks, last_slot);
        Ok(())
    }

    fn plan(&self) -> Result<Plan, LogError> {
        let contents = self.content.ledgers()?;
        let mut days: BTreeSet<_> = contents.keys().copied().collect();
        days.extend(self.days_of_sightings());
        let mut dead = self.dead(&days);
        let mut drawers = self.drawers.clone();
        dead.iter().for_each(|drawer| drawers.retire(*drawer));
        if !dead.is_empty() {
            // What has no day outlives every day; its old versions do not.
            let undated = drawers.of(None);
            undated.iter().for_each(|drawer| drawers.retire(*drawer));
            dead.extend(undated);
        }
        for day in &days {
            drawers.provide(*day)?;
        }
        let mut batch =
            Batch { empty: dead.clone(), merged: self.journal.last(), ..Batch::default() };
        let ledgers = self.plan_ledgers(&contents, &drawers, &mut batch)?;
        let (chunks, last_slot) = self.plan_chunks(&drawers, &mut batch)?;
        Ok(Plan { drawers, dead, batch, ledgers, chunks, last_slot })
    }

    /// Writes the ledgers that are not in the pages as they are.
    fn plan_ledgers(
        &self,
        contents: &Ledgers,
        drawers: &Drawers,
        batch: &mut Batch,
    ) -> Result<BTreeMap<DrawerId, [u8; 16]>, LogError> {
        let mut ledgers = BTreeMap::new();
        for (day, changes) in contents {
            let Some((drawer, key)) = drawers.of(*day).and_then(|id| Some((id, drawers.key(id)?)))
            else {
                continue;
            };
            let sum = checksum(&[&codec::encode(changes)]);
            ledgers.insert(drawer, sum);
            if self.ledgers.get(&drawer) != Some(&sum) {
                let plain = codec::encode(&(batch.merged, changes));
                batch.put.push(((drawer, 0), key.seal(&in_pages((drawer, 0)), &plain)?));
            }
        }
        let gone = self.ledgers.keys().filter(|drawer| !ledgers.contains_key(drawer));
        batch.delete.extend(gone.map(|drawer| (*drawer, 0)));
        Ok(ledgers)
    }

    /// Packs the sightings of the journal into chunks.
    fn plan_chunks(
        &self,
        drawers: &Drawers,
        batch: &mut Batch,
    ) -> Result<(Vec<(Place, UtcDay)>, u64), LogError> {
        let mut by_day: BTreeMap<UtcDay, Vec<&ScanGroup>> = BTreeMap::new();
        for (day, group) in &self.content.scans.pending {
            by_day.entry(*day).or_default().push(group);
        }
        let mut places = Vec::new();
        let mut last_slot = self.content.scans.last_slot;
        for (day, groups) in by_day {
            let drawer = drawers.of(Some(day));
            let Some((drawer, key)) = drawer.and_then(|id| Some((id, drawers.key(id)?))) else {
                continue;
            };
            for chunk in chunks(&groups) {
                last_slot = last_slot.saturating_add(1);
                let place = (drawer, last_slot);
                batch.put.push((place, key.seal(&in_pages(place), &chunk)?));
                places.push((place, day));
            }
        }
        Ok((places, last_slot))
    }

    fn days_of_sightings(&self) -> impl Iterator<Item = Option<UtcDay>> {
        let scans = &self.content.scans;
        let pending = scans.pending.iter().map(|(day, _)| Some(*day));
        pending.chain(scans.chunks.values().map(|day| Some(*day)))
    }

    fn days_with_content(&self) -> Result<BTreeSet<Option<UtcDay>>, LogError> {
        let mut days: BTreeSet<_> = self.content.ledgers()?.into_keys().collect();
        days.extend(self.days_of_sightings());
        Ok(days)
    }

    /// Drawers of which nothing is to stay.
    fn dead(&self, days: &BTreeSet<Option<UtcDay>>) -> Vec<DrawerId> {
        let is_dead = |id: &DrawerId| {
            let day = self.drawers.day(*id);
            self.drawers.is_retired(*id) || day.is_some() && !days.contains(&day)
        };
        self.drawers.ids().filter(is_dead).collect()
    }

    /// The medium, for tests and tools.
    #[must_use]
    pub fn disk(&self) -> &Arc<dyn crate::disk::Disk> {
        &self.disk
    }
}
