//! The data keys: one for each UTC day, and one for what has no day.
//!
//! Each key has a drawer of records that it alone opens. Forgetting a day is destroying its key:
//! this file is replaced by one without it, and the old bytes are overwritten.
//!
//! ```text
//! magic 8 │ schema u16 │ install marker 16 │ root key's fingerprint 16 │ sealed list of keys
//! └──────────────────── authenticated ─────────────────────────────────┘
//! ```

use core::fmt;
use std::collections::BTreeMap;

use chikaku_core::time::UtcDay;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::codec;
use crate::content::Emptied;
use crate::disk::{Disk, read_whole, replace};
use crate::error::{Damage, Doing, LogError};
use crate::schema::SCHEMA;
use crate::seal::{DataKey, RootKey, random};

pub(crate) const FILE: &str = "keys";
const MAGIC: &[u8; 8] = b"chikakuK";
const HEADER: usize = 8 + 2 + 16 + 16;

/// Names an installation. The host keeps it beside the root key: a platform's key store outlives
/// an app that is removed and installed again, and a backup brings a log without its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstallMarker([u8; 16]);

impl InstallMarker {
    /// The marker that the host kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The marker, for the host to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Names a drawer; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DrawerId(pub(crate) u32);

#[derive(Clone)]
struct Drawer {
    day: Option<UtcDay>,
    key: DataKey,
    /// No longer the drawer of its day: nothing may be added to it.
    retired: bool,
}

/// What opens and writes the file of keys. Made of the root key, which itself is not kept.
#[derive(Clone)]
pub(crate) struct Credentials {
    wrapping: DataKey,
    fingerprint: [u8; 16],
}

impl Credentials {
    pub(crate) fn of(root: &RootKey) -> Self {
        Self { wrapping: root.wrapping_key(), fingerprint: root.fingerprint() }
    }
}

/// All drawers, and the file that holds their keys.
#[derive(Clone)]
pub(crate) struct Drawers {
    credentials: Credentials,
    marker: InstallMarker,
    next: u32,
    drawers: BTreeMap<DrawerId, Drawer>,
    /// Open the spool; the last one is the one in use.
    spool: Vec<DataKey>,
}

/// The list as it is sealed. Erased when it is dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredKeys {
    next: u32,
    drawers: Vec<StoredDrawer>,
    spool: Vec<[u8; 32]>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredDrawer {
    id: u32,
    day: Option<u32>,
    key: [u8; 32],
    retired: bool,
}

impl fmt::Debug for Drawers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drawers").field("count", &self.drawers.len()).finish_non_exhaustive()
    }
}

impl Drawers {
    /// Keys of a new log; not on disk before [`Drawers::save`].
    pub(crate) fn new(credentials: Credentials) -> Result<Self, LogError> {
        Ok(Self {
            credentials,
            marker: InstallMarker(random()?),
            next: 1,
            drawers: BTreeMap::new(),
            spool: vec![DataKey::generate()?],
        })
    }

    pub(crate) const fn marker(&self) -> InstallMarker {
        self.marker
    }

    pub(crate) fn spool_keys(&self) -> &[DataKey] {
        &self.spool
    }

    pub(crate) fn add_spool_key(&mut self) -> Result<(), LogError> {
        self.spool.push(DataKey::generate()?);
        Ok(())
    }

    pub(crate) fn drop_old_spool_keys(&mut self) {
        self.spool.drain(..self.spool.len().saturating_sub(1));
    }

    fn header(&self) -> Vec<u8> {
        [&MAGIC[..], &SCHEMA.to_le_bytes(), &self.marker.0, &self.credentials.fingerprint].concat()
    }

    /// Puts the keys on disk as they are now, and erases what was there.
    pub(crate) fn save(&self, disk: &dyn Disk) -> Result<(), LogError> {
        let drawers = self.drawers.iter().map(|(id, drawer)| StoredDrawer {
            id: id.0,
            day: drawer.day.map(UtcDay::days_since_1970),
            key: *drawer.key.secret_bytes(),
            retired: drawer.retired,
        });
        let drawers = drawers.collect();
        let spool = self.spool.iter().map(|key| *key.secret_bytes()).collect();
        let stored = StoredKeys { next: self.next, drawers, spool };
        let mut plain = codec::encode(&stored);
        let header = self.header();
        let sealed = self.credentials.wrapping.seal(&header, &plain);
        plain.zeroize();
        replace(disk, FILE, &[header, sealed?].concat()).doing("writing the keys")
    }

    /// The marker of the log on `disk`, if there is a log. Needs no key.
    pub(crate) fn marker_on(disk: &dyn Disk) -> Result<Option<InstallMarker>, LogError> {
        let Some(file) = disk.open(FILE).doing("opening the keys")? else { return Ok(None) };
        let bytes = read_whole(&*file).doing("reading the keys")?;
        Ok(Some(Header::read(&bytes)?.marker))
    }

    /// The keys on `disk`.
    pub(crate) fn load(disk: &dyn Disk, credentials: Credentials) -> Result<Self, LogError> {
        let file = disk.open(FILE).doing("opening the keys")?.ok_or(LogError::Absent)?;
        let bytes = read_whole(&*file).doing("reading the keys")?;
        let header = Header::read(&bytes)?;
        if header.fingerprint != credentials.fingerprint {
            return Err(LogError::WrongRootKey);
        }
        let (authenticated, sealed) = bytes.split_at_checked(HEADER).unwrap_or((&bytes, &[]));
        let opened = credentials.wrapping.open(authenticated, sealed);
        let mut plain = opened.map_err(|_| damaged("not what was sealed"))?;
        let stored = codec::decode::<StoredKeys>(&plain);
        plain.zeroize();
        let stored = stored.map_err(|_| damaged("not a list of keys"))?;
        let drawers = stored.drawers.iter().map(|drawer| {
            let day = drawer.day.map(UtcDay::new);
            let key = DataKey::from_bytes(drawer.key);
            (DrawerId(drawer.id), Drawer { day, key, retired: drawer.retired })
        });
        Ok(Self {
            credentials,
            marker: header.marker,
            next: stored.next,
            drawers: drawers.collect(),
            spool: stored.spool.iter().copied().map(DataKey::from_bytes).collect(),
        })
    }

    /// The same keys under another root key; not on disk before [`Drawers::save`].
    pub(crate) fn under(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = DrawerId> {
        self.drawers.keys().copied()
    }

    /// The key of `drawer`, if it has not been destroyed.
    pub(crate) fn key(&self, drawer: DrawerId) -> Option<&DataKey> {
        self.drawers.get(&drawer).map(|drawer| &drawer.key)
    }

    /// The day of `drawer`; `None` also for the drawer of what has no day.
    pub(crate) fn day(&self, drawer: DrawerId) -> Option<UtcDay> {
        self.drawers.get(&drawer).and_then(|drawer| drawer.day)
    }

    /// The drawer into which records of `day` go.
    pub(crate) fn of(&self, day: Option<UtcDay>) -> Option<DrawerId> {
        let current = |(_, drawer): &(&DrawerId, &Drawer)| drawer.day == day && !drawer.retired;
        self.drawers.iter().rev().find(current).map(|(id, _)| *id)
    }

    /// Makes sure that `day` has a drawer; `true` if the keys have to be saved for that.
    pub(crate) fn provide(&mut self, day: Option<UtcDay>) -> Result<bool, LogError> {
        if self.of(day).is_some() {
            return Ok(false);
        }
        let key = DataKey::generate()?;
        self.drawers.insert(DrawerId(self.next), Drawer { day, key, retired: false });
        self.next = self.next.saturating_add(1);
        Ok(true)
    }

    /// Nothing more goes into `drawer`; its day gets a new one.
    pub(crate) fn retire(&mut self, drawer: DrawerId) {
        if let Some(drawer) = self.drawers.get_mut(&drawer) {
            drawer.retired = true;
        }
    }

    /// Nothing more goes into the drawers of what is empty.
    pub(crate) fn retire_emptied(&mut self, emptied: Emptied) {
        for (id, drawer) in &mut self.drawers {
            drawer.retired |= match emptied {
                Emptied::Drawer(of) => *id == of,
                // Visits, the diary and what is to be published lie with what has no day.
                Emptied::Day(day) => drawer.day.is_none_or(|of| of == day),
                Emptied::Undated => drawer.day.is_none(),
                Emptied::Everything => true,
            };
        }
    }

    pub(crate) fn is_retired(&self, drawer: DrawerId) -> bool {
        self.drawers.get(&drawer).is_none_or(|drawer| drawer.retired)
    }

    /// Destroys the key of `drawer`; final with the next [`Drawers::save`].
    pub(crate) fn destroy(&mut self, drawer: DrawerId) {
        self.drawers.remove(&drawer);
    }
}

struct Header {
    marker: InstallMarker,
    fingerprint: [u8; 16],
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, LogError> {
        let too_short = || damaged("cut off in its header");
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or_else(too_short)?;
        let (schema, rest) = rest.split_first_chunk::<2>().ok_or_else(too_short)?;
        let (marker, rest) = rest.split_first_chunk::<16>().ok_or_else(too_short)?;
        let (fingerprint, _) = rest.split_first_chunk::<16>().ok_or_else(too_short)?;
        if magic != MAGIC {
            return Err(damaged("not a list of keys"));
        }
        crate::schema::readable(u16::from_le_bytes(*schema)).map_err(|unknown| match unknown {
            crate::schema::Unreadable::Newer(found) => {
                LogError::NewerSchema { found, known: SCHEMA }
            }
            crate::schema::Unreadable::NeverReleased(_) => damaged("no schema that ever was"),
        })?;
        Ok(Self { marker: InstallMarker(*marker), fingerprint: *fingerprint })
    }
}

fn damaged(what: &str) -> LogError {
    LogError::corrupt(Damage { file: FILE, what: what.to_owned() })
}
