//! Reading the log: keys, pages, journal; and what can be saved of a damaged one.

use std::collections::BTreeMap;
use std::sync::Arc;

use chikaku_core::encounter_log::Change;
use chikaku_core::sighting::Sighting;

use super::{DurableLog, damaged, in_journal, in_pages};
use crate::codec::{self, Undecodable};
use crate::content::{Content, Scans};
use crate::disk::Disk;
use crate::drawers::{Credentials, DrawerId, Drawers};
use crate::error::{Damage, Doing, LogError, Salvage, StoreCorrupt};
use crate::journal::{self, Frame, Journal};
use crate::pages::{self, Pages, Place};
use crate::salvage;
use crate::seal::checksum;
use crate::stored::{Assembly, ScanGroup, StoredChange};

/// What was found when the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Commits that were in the journal alone.
    pub replayed_commits: u64,
    /// Bytes of a last commit that is not whole in the journal: one that the process did not live
    /// to see acknowledged or, which cannot be told from it, one that was damaged afterwards.
    pub unfinished_bytes: Option<u64>,
}

/// As much of a log as could be read.
#[derive(Default)]
struct Gathered {
    content: Content,
    ledgers: BTreeMap<DrawerId, [u8; 16]>,
    damage: Vec<Damage>,
    /// Sightings of a database that could not be opened.
    scraped: Vec<Sighting>,
}

/// A day's records other than sightings, and the last commit at the time they were written.
type Ledger = (u64, Vec<(u32, StoredChange)>);

impl DurableLog {
    /// Reads everything but the sightings in the pages.
    pub(super) fn load(disk: Arc<dyn Disk>, credentials: Credentials) -> Result<Self, LogError> {
        let mut drawers = Drawers::load(&*disk, credentials)?;
        let mut gathered = Gathered::default();
        // A name that was changed and not made durable would change back in a power cut.
        disk.sync_names().doing("opening the log")?;
        let opened = Journal::open(&*disk);
        let opened = gathered.unless_corrupt(opened)?;
        let expected = opened.as_ref().and_then(|opened| opened.pages);
        let pages = Pages::open(&*disk, expected);
        let pages = gathered.unless_corrupt(pages)?;
        let mut merged = None;
        if let Some(pages) = &pages {
            let read = gathered.read_pages(pages, &drawers);
            merged = gathered.unless_corrupt(read)?;
        } else {
            gathered.read_scraped(&salvage::scrape(&*disk), &drawers);
        }
        let mut recovery = Recovery::default();
        let journal = opened.map(|opened| {
            gathered.damage.extend(opened.damage);
            if merged.is_some_and(|merged| merged < opened.base) {
                let what = "an older state than the one that the journal continues";
                gathered.damage.push(damaged(pages::FILE, what));
            }
            // Of damaged pages it is not known what they hold: every frame counts then.
            let new = |frame: &Frame| frame.sequence > merged.unwrap_or(0);
            for frame in opened.frames.into_iter().filter(new) {
                recovery.replayed_commits += 1;
                gathered.replay(&frame, &mut drawers);
            }
            recovery.unfinished_bytes = opened.unfinished;
            opened.journal
        });
        match (pages, merged, journal) {
            (Some(pages), Some(merged), Some(mut journal)) if gathered.damage.is_empty() => {
                if journal.last() < merged {
                    // What the journal lacks at its end was merged before.
                    journal = Journal::create(&*disk, merged, pages.settle()?, 0)?;
                }
                let Gathered { content, ledgers, .. } = gathered;
                let is_stale = false;
                Ok(Self { disk, drawers, journal, pages, content, ledgers, is_stale, recovery })
            }
            (pages, ..) => Err(gathered.into_corrupt(pages.as_ref(), &drawers)),
        }
    }
}

impl Gathered {
    /// Notes damage, so that the rest is read all the same; other failures end the reading.
    fn unless_corrupt<T>(&mut self, read: Result<T, LogError>) -> Result<Option<T>, LogError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(LogError::Corrupt(corrupt)) => {
                self.damage.extend(corrupt.damage);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Reads all ledgers and notes all chunks. Returns the last commit that is in the pages.
    fn read_pages(&mut self, pages: &Pages, drawers: &Drawers) -> Result<u64, LogError> {
        let mut assembly = Assembly::default();
        pages.visit(&mut |place, sealed| {
            let (drawer, slot) = place;
            let read = match drawers.day(drawer) {
                Some(day) if slot > 0 => {
                    self.content.scans.chunks.insert(place, day);
                    self.content.scans.last_slot = self.content.scans.last_slot.max(slot);
                    Ok(())
                }
                _ => read_ledger(drawers, place, sealed).and_then(|(_, changes)| {
                    self.ledgers.insert(drawer, checksum(&[&codec::encode(&changes)]));
                    changes
                        .into_iter()
                        .try_for_each(|(number, change)| assembly.add(number, change))
                }),
            };
            if read.is_err() {
                let what = format!("record {slot} of drawer {} cannot be read", drawer.0);
                self.damage.push(damaged(pages::FILE, what));
            }
        })?;
        let (restored, lost) = assembly.finish();
        for restored in restored {
            self.content.apply(restored);
        }
        self.damage
            .extend(lost.iter().map(|_| damaged(pages::FILE, "a part of an exposure is missing")));
        pages.merged()
    }

    /// Reads what still stands in the leaves of a database that is damaged. Of a ledger, which is
    /// written anew again and again, the last one counts.
    fn read_scraped(&mut self, scraped: &BTreeMap<Place, Vec<Vec<u8>>>, drawers: &Drawers) {
        let mut assembly = Assembly::default();
        for (place, versions) in scraped.iter().filter(|((_, slot), _)| *slot == 0) {
            let readable =
                versions.iter().filter_map(|sealed| read_ledger(drawers, *place, sealed).ok());
            let last = readable.max_by_key(|(sequence, _)| *sequence);
            for (number, change) in last.into_iter().flat_map(|(_, changes)| changes) {
                let _ = assembly.add(number, change);
            }
        }
        for restored in assembly.finish().0 {
            self.content.apply(restored);
        }
        for (place, versions) in scraped.iter().filter(|((_, slot), _)| *slot > 0) {
            let mut readable =
                versions.iter().filter_map(|sealed| read_chunk(drawers, *place, sealed).ok());
            for group in readable.next().into_iter().flatten() {
                let _ = group.visit(&mut |sighting| {
                    if !self.content.scans.hides(place.1, sighting) {
                        self.scraped.push(*sighting);
                    }
                });
            }
        }
    }

    /// Applies a commit of the journal; what cannot be read of it is damage.
    fn replay(&mut self, frame: &Frame, drawers: &mut Drawers) {
        let mut assembly = Assembly::default();
        let segments = codec::decode::<Vec<(DrawerId, Vec<u8>)>>(&frame.payload);
        let read = segments.and_then(|segments| {
            for (drawer, sealed) in segments {
                let key = drawers.key(drawer).ok_or(Undecodable)?;
                let place = in_journal(frame.sequence, drawer);
                let plain = key.open(&place, &sealed).map_err(|_| Undecodable)?;
                for (number, change) in codec::decode::<Vec<(u32, StoredChange)>>(&plain)? {
                    assembly.add(number, change)?;
                }
            }
            Ok(())
        });
        let (restored, lost) = assembly.finish();
        if read.is_err() || !lost.is_empty() {
            let what = format!("commit {} cannot be read", frame.sequence);
            self.damage.push(damaged(journal::FILE, what));
        }
        for restored in restored {
            for emptied in self.content.apply(restored) {
                drawers.retire_emptied(emptied);
            }
        }
    }

    fn into_corrupt(self, pages: Option<&Pages>, drawers: &Drawers) -> LogError {
        let mut salvaged = Salvage::default();
        for change in self.content.changes() {
            salvaged.add(change);
        }
        let mut sightings = self.scraped;
        if let Some(pages) = pages {
            // Chunks that cannot be read are what is lost.
            let _ = visit_chunks(pages, drawers, &self.content.scans, &mut |sighting| {
                sightings.push(*sighting);
            });
        }
        for (_, group) in &self.content.scans.pending {
            let _ = group.visit(&mut |sighting| sightings.push(*sighting));
        }
        if !sightings.is_empty() {
            salvaged.add(Change::Sightings(sightings));
        }
        LogError::Corrupt(Box::new(StoreCorrupt { damage: self.damage, salvaged }))
    }
}

fn read_ledger(drawers: &Drawers, place: Place, sealed: &[u8]) -> Result<Ledger, Undecodable> {
    let key = drawers.key(place.0).ok_or(Undecodable)?;
    let plain = key.open(&in_pages(place), sealed).map_err(|_| Undecodable)?;
    codec::decode(&plain)
}

fn read_chunk(
    drawers: &Drawers,
    place: Place,
    sealed: &[u8],
) -> Result<Vec<ScanGroup>, Undecodable> {
    let key = drawers.key(place.0).ok_or(Undecodable)?;
    let plain = key.open(&in_pages(place), sealed).map_err(|_| Undecodable)?;
    codec::decode(&plain)
}

/// Shows `visit` every sighting in the pages that is not forgotten. Chunks that cannot be read are
/// passed over, and reported in the end.
pub(super) fn visit_chunks(
    pages: &Pages,
    drawers: &Drawers,
    scans: &Scans,
    visit: &mut dyn FnMut(&Sighting),
) -> Result<(), LogError> {
    let mut missing = scans.chunks.len();
    let mut damage = Vec::new();
    pages.visit(&mut |place, sealed| {
        if !scans.chunks.contains_key(&place) {
            return;
        }
        missing = missing.saturating_sub(1);
        let read = read_chunk(drawers, place, sealed).and_then(|groups| {
            groups.iter().try_for_each(|group| {
                group.visit(&mut |sighting| {
                    if !scans.hides(place.1, sighting) {
                        visit(sighting);
                    }
                })
            })
        });
        if read.is_err() {
            let what = format!("record {} of drawer {} cannot be read", place.1, place.0.0);
            damage.push(damaged(pages::FILE, what));
        }
    })?;
    if missing > 0 {
        damage.push(damaged(pages::FILE, format!("{missing} records of sightings are missing")));
    }
    if damage.is_empty() {
        return Ok(());
    }
    Err(LogError::Corrupt(Box::new(StoreCorrupt { damage, salvaged: Salvage::default() })))
}
