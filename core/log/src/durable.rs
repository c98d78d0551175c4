//! The encounter log on disk.

mod checkpoint;
mod load;
mod port;
mod unlock;
mod verify;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use chikaku_core::encounter_log::Change;
use chikaku_core::time::UtcDay;

use crate::codec;
use crate::content::Content;
use crate::disk::{Disk, blank};
use crate::drawers::{self, Credentials, DrawerId, Drawers, InstallMarker};
use crate::error::{Damage, Doing, LogError};
use crate::journal::{self, Journal};
use crate::pages::{self, Pages};
use crate::seal::RootKey;
use crate::spool;
use crate::stored::{Assembly, Part, StoredChange, parts};

pub use checkpoint::Maintenance;
pub use load::Recovery;
pub use unlock::SpoolMerge;
pub use verify::Verified;

/// Exists while a log is being made.
const CREATING: &str = "creating";

/// The encounter log on disk, sealed by day.
///
/// One commit is one append to a journal and one sync. From time to time the journal is merged
/// into the database, in one transaction; the journal's numbers make sure that no commit is lost
/// or applied twice, wherever the process dies. If the medium fails in the middle of that, the
/// log reads itself anew from disk; no acknowledged commit depends on what was in memory.
pub struct DurableLog {
    disk: Arc<dyn Disk>,
    drawers: Drawers,
    journal: Journal,
    pages: Pages,
    content: Content,
    /// Checksums of the day ledgers as they are in the pages.
    ledgers: BTreeMap<DrawerId, [u8; 16]>,
    /// Memory and disk may differ, because the medium failed: to be read anew before any commit.
    is_stale: bool,
    recovery: Recovery,
}

impl fmt::Debug for DurableLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableLog")
            .field("drawers", &self.drawers)
            .field("journal", &self.journal)
            .field("is_stale", &self.is_stale)
            .finish_non_exhaustive()
    }
}

impl DurableLog {
    /// Makes a new log under `root`. The host keeps [`DurableLog::marker`] beside the root key.
    ///
    /// # Errors
    /// [`LogError::AlreadyThere`] if there is one, damaged or not: nothing is ever replaced.
    /// Otherwise the medium's.
    pub fn create(disk: Arc<dyn Disk>, root: &RootKey) -> Result<Self, LogError> {
        let exists = |name| exists(&*disk, name);
        let leftovers = exists(pages::FILE)? || exists(journal::FILE)?;
        if exists(drawers::FILE)? || leftovers && !exists(CREATING)? {
            return Err(LogError::AlreadyThere);
        }
        disk.create(CREATING)
            .and_then(|file| file.sync())
            .and_then(|()| disk.sync_names())
            .doing("creating the log")?;
        let mut drawers = Drawers::new(Credentials::of(root))?;
        drawers.provide(None)?;
        let pages = Pages::create(&*disk)?;
        let journal = Journal::create(&*disk, 0, pages.settle()?, 0)?;
        spool::publish_key(&*disk, drawers.spool_keys().last())?;
        drawers.save(&*disk)?;
        disk.remove(CREATING).and_then(|()| disk.sync_names()).doing("creating the log")?;
        Ok(Self {
            disk,
            drawers,
            journal,
            pages,
            content: Content::default(),
            ledgers: BTreeMap::new(),
            is_stale: false,
            recovery: Recovery::default(),
        })
    }

    /// Opens the log under `root`. With `marker`, the host's copy of the install marker, a log of
    /// another installation is refused.
    ///
    /// # Errors
    /// [`LogError::Absent`], [`LogError::WrongRootKey`], [`LogError::OtherInstallation`],
    /// [`LogError::NewerSchema`]; [`LogError::Corrupt`] with what could be read, and the log as
    /// it was; otherwise the medium's.
    pub fn open(
        disk: Arc<dyn Disk>,
        root: &RootKey,
        marker: Option<InstallMarker>,
    ) -> Result<Self, LogError> {
        match Self::marker_on(&*disk)? {
            None => return Err(LogError::Absent),
            Some(found) if marker.is_some_and(|marker| marker != found) => {
                return Err(LogError::OtherInstallation);
            }
            Some(_) => {}
        }
        let mut log = Self::load(disk, Credentials::of(root))?;
        spool::publish_key(&*log.disk, log.drawers.spool_keys().last())?;
        log.disk.remove(CREATING).doing("opening the log")?;
        if log.recovery.unfinished_bytes.is_some() || log.erasure_is_due() {
            log.checkpoint(0)?;
        }
        Ok(log)
    }

    /// The install marker of the log on `disk`, `None` if there is no log. Needs no key: a host
    /// asks this first, and deletes a root key that it has for no log or for another one.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] if there are parts of a log and no keys; otherwise the medium's.
    pub fn marker_on(disk: &dyn Disk) -> Result<Option<InstallMarker>, LogError> {
        let marker = Drawers::marker_on(disk)?;
        let exists = |name| exists(disk, name);
        if marker.is_none() && (exists(pages::FILE)? || exists(journal::FILE)?) {
            return if exists(CREATING)? {
                Ok(None)
            } else {
                let what = "missing, though there are records".to_owned();
                Err(LogError::corrupt(Damage { file: drawers::FILE, what }))
            };
        }
        Ok(marker)
    }

    /// Destroys the log on `disk`, whatever state it is in: first the keys, then the files.
    ///
    /// # Errors
    /// The medium's.
    pub fn wipe(disk: &dyn Disk) -> Result<(), LogError> {
        let wipe = || {
            if let Some(keys) = disk.open(drawers::FILE)? {
                blank(&*keys)?;
            }
            for name in
                [drawers::FILE, pages::FILE, journal::FILE, CREATING].iter().chain(spool::FILES)
            {
                disk.remove(name)?;
                disk.remove(&format!("{name}.new"))?;
            }
            disk.sync_names()
        };
        wipe().doing("wiping the log")
    }

    /// The install marker, for the host to keep beside the root key.
    #[must_use]
    pub const fn marker(&self) -> InstallMarker {
        self.drawers.marker()
    }

    /// What was found when the log was opened.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Seals the data keys under another root key. The host then deletes the old root key: flash
    /// storage may still hold earlier bytes of the key file, and nothing opens them any more.
    ///
    /// # Errors
    /// The medium's. Which of the two root keys opens the log is then not certain; keep both.
    pub fn rotate_root_key(&mut self, root: &RootKey) -> Result<(), LogError> {
        self.refresh()?;
        let drawers = self.drawers.under(Credentials::of(root));
        drawers.save(&*self.disk)?;
        self.drawers = drawers;
        Ok(())
    }

    /// Applies `changes`, and `extra` with them, in one commit.
    fn append(&mut self, changes: &[Change], extra: Option<StoredChange>) -> Result<(), LogError> {
        self.refresh()?;
        if changes.iter().any(|change| matches!(change, Change::ForgetEverything)) {
            // Before the commit: it would otherwise come back with the next merge.
            self.destroy_spool()?;
        }
        let mut parts = parts(changes, self.content.engine().as_ref())?;
        parts.extend(extra.map(|change| Part { day: None, number: u32::MAX, change }));
        self.provide_drawers(&parts)?;
        let room = self.payload(&parts)?.len();
        if !self.journal.has_room_for(room) {
            self.checkpoint(room)?;
            self.provide_drawers(&parts)?;
        }
        // Sealed only now: the checkpoint may have changed the drawers and the number.
        let payload = self.payload(&parts)?;
        let mut assembly = Assembly::default();
        for Part { number, change, .. } in parts {
            assembly.add(number, change).map_err(|_| LogError::UnknownChange)?;
        }
        let (restored, lost) = assembly.finish();
        if !lost.is_empty() {
            return Err(LogError::UnknownChange);
        }
        if let Err(failed) = self.journal.append(&payload) {
            self.is_stale |= !failed.taken_back;
            return Err(failed.error);
        }
        // From here on the commit has happened.
        for restored in restored {
            for emptied in self.content.apply(restored) {
                self.drawers.retire_emptied(emptied);
            }
        }
        if changes.iter().any(|change| self.empties_a_drawer(change)) {
            // If this fails, it is made up for by the next commit, maintenance or opening.
            let _ = self.checkpoint(0);
        }
        Ok(())
    }

    /// Makes sure that there is a drawer for each of `parts`.
    fn provide_drawers(&mut self, parts: &[Part]) -> Result<(), LogError> {
        let mut drawers = self.drawers.clone();
        let mut is_new = false;
        for part in parts {
            is_new |= drawers.provide(part.day)?;
        }
        if is_new {
            drawers.save(&*self.disk)?;
            self.drawers = drawers;
        }
        Ok(())
    }

    /// A commit's bytes: each drawer's parts, sealed by its key.
    fn payload(&self, parts: &[Part]) -> Result<Vec<u8>, LogError> {
        let mut by_drawer: BTreeMap<DrawerId, Vec<(u32, &StoredChange)>> = BTreeMap::new();
        for part in parts {
            let drawer = self.drawers.of(part.day).ok_or(LogError::UnknownChange)?;
            by_drawer.entry(drawer).or_default().push((part.number, &part.change));
        }
        let sequence = self.journal.next();
        let mut segments = Vec::with_capacity(by_drawer.len());
        for (drawer, changes) in by_drawer {
            let key = self.drawers.key(drawer).ok_or(LogError::UnknownChange)?;
            let sealed = key.seal(&in_journal(sequence, drawer), &codec::encode(&changes))?;
            segments.push((drawer, sealed));
        }
        Ok(codec::encode(&segments))
    }

    /// Whether `change` forgot all of a day that has a key.
    fn empties_a_drawer(&self, change: &Change) -> bool {
        match change {
            Change::Forget(horizon) => self.drawers.ids().any(|id| {
                let is_over =
                    |day: UtcDay| day < horizon.before.day() && !self.content.scans.has(day);
                self.drawers.is_retired(id) || self.drawers.day(id).is_some_and(is_over)
            }),
            Change::ForgetDay(_) | Change::ForgetEverything => true,
            _ => false,
        }
    }

    /// Reads the log anew if the medium failed before.
    fn refresh(&mut self) -> Result<(), LogError> {
        if self.is_stale {
            let recovery = self.recovery;
            *self = Self::load(Arc::clone(&self.disk), self.drawers.credentials())?;
            self.recovery = recovery;
        }
        Ok(())
    }
}

/// What a segment of the journal is sealed to.
fn in_journal(sequence: u64, drawer: DrawerId) -> Vec<u8> {
    [&b"journal"[..], &sequence.to_le_bytes(), &drawer.0.to_le_bytes()].concat()
}

/// What a record of the pages is sealed to.
fn in_pages((drawer, slot): pages::Place) -> Vec<u8> {
    [&b"pages"[..], &drawer.0.to_le_bytes(), &slot.to_le_bytes()].concat()
}

fn exists(disk: &dyn Disk, name: &str) -> Result<bool, LogError> {
    Ok(disk.open(name).doing("looking for a log")?.is_some())
}

fn damaged(file: &'static str, what: impl Into<String>) -> Damage {
    Damage { file, what: what.into() }
}
