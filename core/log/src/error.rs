//! What can be wrong with a log.

use core::fmt;
use std::io;

use chikaku_core::encounter_log::Change;
use thiserror::Error;

use crate::seal::NoRandomness;

/// Why the log cannot do what it was asked. No variant holds key material or anything heard.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is no log here. A host that has a root key all the same holds one from an earlier
    /// installation: delete it and create a log with a new one.
    #[error("there is no encounter log here")]
    Absent,
    /// A log is here already; a new one would cost its content.
    #[error("there is an encounter log here already")]
    AlreadyThere,
    /// The log was made under another root key.
    #[error("the encounter log belongs to another root key")]
    WrongRootKey,
    /// The log's install marker is not the one that the host kept with the root key.
    #[error("the encounter log belongs to another installation")]
    OtherInstallation,
    /// The log was written by a later version of this software.
    #[error("the encounter log has schema {found}, newer than {known}")]
    NewerSchema {
        /// Schema of the log.
        found: u16,
        /// Newest schema known here.
        known: u16,
    },
    /// The log's bytes are not what was written. Nothing has been changed or repaired.
    #[error(transparent)]
    Corrupt(Box<StoreCorrupt>),
    /// The medium failed.
    #[error("{doing}: {source}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The database failed, but not over a damaged file.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        source: Box<redb::Error>,
    },
    /// No randomness, so nothing can be sealed.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The core has learned to say something that this version of the log cannot store.
    #[error("the log cannot store a change of this kind")]
    UnknownChange,
    /// A record is larger than a file of the log may be.
    #[error("a record of {bytes} bytes does not fit into the log")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

impl LogError {
    pub(crate) fn corrupt(damage: Damage) -> Self {
        let salvaged = Salvage::default();
        Self::Corrupt(Box::new(StoreCorrupt { damage: vec![damage], salvaged }))
    }
}

/// Which part of the log is damaged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: &'static str,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// The log is damaged. It was left as it is; the host decides.
#[derive(Debug, Error)]
pub struct StoreCorrupt {
    /// Everything that was found wrong; never empty.
    pub damage: Vec<Damage>,
    /// What could be read all the same.
    pub salvaged: Salvage,
}

impl fmt::Display for StoreCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the encounter log is damaged (")?;
        for (place, damage) in self.damage.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{damage}")?;
        }
        write!(f, "); {} sightings and {} records can be read", self.salvaged.sightings, {
            self.salvaged.records
        })
    }
}

/// What could be read of a damaged log. `Debug` shows only how much it is.
#[derive(Clone, Default)]
pub struct Salvage {
    /// The content, in order, ready to be committed to a new log.
    pub changes: Vec<Change>,
    /// Sightings among it.
    pub sightings: u64,
    /// Everything else among it.
    pub records: u64,
}

impl fmt::Debug for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salvage")
            .field("sightings", &self.sightings)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

impl Salvage {
    pub(crate) fn add(&mut self, change: Change) {
        match &change {
            Change::Sightings(sightings) => {
                self.sightings = self.sightings.saturating_add(sightings.len() as u64);
            }
            Change::Forget(_) | Change::ForgetDay(_) | Change::ForgetEverything => {}
            _ => self.records = self.records.saturating_add(1),
        }
        self.changes.push(change);
    }
}

/// Says what was being done when the medium failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, LogError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, LogError> {
        self.map_err(|source| LogError::Disk { doing, source })
    }
}
