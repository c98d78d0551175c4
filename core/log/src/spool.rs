//! Scans from before the first unlock.
//!
//! After a restart, a phone may not get at the root key before its owner has unlocked it once.
//! Until then scans go to a file of their own, each sealed to a public key (RFC 9180: X25519,
//! HKDF-SHA256, ChaCha20-Poly1305), and after the unlock
//! [`DurableLog::merge_spool`](crate::DurableLog::merge_spool) takes them over. Who has the
//! public key can add to the spool, but not read it; after each merge the key changes.

use std::sync::Arc;

use chikaku_core::sighting::{ScanResult, Sighting};
use chikaku_core::time::Timestamp;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::codec;
use crate::disk::{Disk, DiskFile, read_whole, replace};
use crate::error::{Damage, Doing, LogError};
use crate::schema::{self, SCHEMA};
use crate::seal::{DataKey, checksum, random};
use crate::stored::ScanGroup;

const KEY_FILE: &str = "spool-key";
const FILE: &str = "spool";
/// The spool while it is merged.
const MERGING: &str = "spool.merging";
pub(crate) const FILES: &[&str] = &[KEY_FILE, FILE, MERGING];
const KEY_MAGIC: &[u8; 8] = b"chikakuP";
const FRAME_MAGIC: &[u8; 4] = b"chkS";
const INFO: &[u8] = b"chikaku spool 1";
const ENCAPSULATED: usize = 32;
const SUM: usize = 16;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;

/// Takes scans while the root key is out of reach.
#[derive(Debug)]
pub struct Spool {
    disk: Arc<dyn Disk>,
    previous_scan_ended: Option<Timestamp>,
}

impl Spool {
    /// The spool of the log on `disk`; needs no key.
    ///
    /// # Errors
    /// [`LogError::Absent`] if there is no log, [`LogError::Corrupt`] if its public key is
    /// damaged; otherwise the medium's.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self, LogError> {
        public_key(&*disk)?;
        Ok(Self { disk, previous_scan_ended: None })
    }

    /// Keeps `scan`, durably.
    ///
    /// # Errors
    /// The medium's; the scan is not kept then.
    pub fn append(&mut self, scan: &ScanResult) -> Result<(), LogError> {
        let previous_scan_ended = self.previous_scan_ended;
        let sighting = |received: &chikaku_core::sighting::ReceivedAdvertisement| Sighting {
            heard_at: received.heard_at,
            previous_scan_ended,
            rssi: received.rssi,
            advertisement: received.advertisement,
            stamp: None,
        };
        let sightings: Vec<_> = scan.received.iter().map(sighting).collect();
        if !sightings.is_empty() {
            let groups: Vec<_> =
                ScanGroup::of(&sightings).into_iter().map(|(_, group)| group).collect();
            // Asked each time, because merging changes it.
            let frame = seal(&public_key(&*self.disk)?, &codec::encode(&groups))?;
            append(&*self.disk, &frame).doing("appending to the spool")?;
        }
        self.previous_scan_ended = Some(scan.ended);
        Ok(())
    }
}

fn append(disk: &dyn Disk, frame: &[u8]) -> std::io::Result<()> {
    let file = match disk.open(FILE)? {
        Some(file) => file,
        None => {
            let file = disk.create(FILE)?;
            disk.sync_names()?;
            file
        }
    };
    let end = file.length()?;
    let written = file.write_at(end, frame).and_then(|()| file.sync());
    if written.is_err() {
        // Whatever is left of it is passed over when the spool is read.
        let _ = file.set_length(end).and_then(|()| file.sync());
    }
    written
}

/// What a spool holds.
#[derive(Default)]
pub(crate) struct Spooled {
    pub(crate) scans: u64,
    pub(crate) sightings: Vec<Sighting>,
    /// Bytes that belong to no whole scan.
    pub(crate) unreadable_bytes: u64,
    /// Names the spool by its content.
    pub(crate) name: [u8; 16],
}

/// The spool that is to be merged, if there is one.
pub(crate) fn take(disk: &dyn Disk, keys: &[DataKey]) -> Result<Option<Spooled>, LogError> {
    let reading = "reading the spool";
    let file = match disk.open(MERGING).doing(reading)? {
        Some(file) => file,
        None => {
            if disk.open(FILE).doing(reading)?.is_none() {
                return Ok(None);
            }
            disk.rename(FILE, MERGING).and_then(|()| disk.sync_names()).doing(reading)?;
            let Some(file) = disk.open(MERGING).doing(reading)? else { return Ok(None) };
            file
        }
    };
    read(&*file, keys).map(Some)
}

/// Removes the spool that has been merged.
pub(crate) fn discard(disk: &dyn Disk) -> Result<(), LogError> {
    disk.remove(MERGING).and_then(|()| disk.sync_names()).doing("removing the spool")
}

/// Removes the spool unread; says whether there was one.
pub(crate) fn destroy(disk: &dyn Disk) -> Result<bool, LogError> {
    let destroy = || {
        let mut found = false;
        for name in [FILE, MERGING] {
            if disk.open(name)?.is_some() {
                found = true;
                disk.remove(name)?;
            }
        }
        if found {
            disk.sync_names()?;
        }
        Ok(found)
    };
    destroy().doing("removing the spool")
}

fn read(file: &dyn DiskFile, keys: &[DataKey]) -> Result<Spooled, LogError> {
    let bytes = read_whole(file).doing("reading the spool")?;
    let mut spooled = Spooled { name: checksum(&[&bytes]), ..Spooled::default() };
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let opened = frame(rest).and_then(|(sealed, after)| Some((open(sealed, keys)?, after)));
        if let Some((sightings, after)) = opened {
            spooled.scans += 1;
            spooled.sightings.extend(sightings);
            rest = after;
        } else {
            // A torn or damaged scan: the next one begins somewhere behind.
            spooled.unreadable_bytes += 1;
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    Ok(spooled)
}

/// The sealed scan at the front of `bytes`, and what follows.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, after) = bytes.strip_prefix(FRAME_MAGIC)?.split_first_chunk::<4>()?;
    let sealed = after.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let (sum, rest) = after.get(sealed.len()..)?.split_first_chunk::<SUM>()?;
    (checksum(&[length, sealed]) == *sum).then_some((sealed, rest))
}

fn seal(public: &PublicKey, plain: &[u8]) -> Result<Vec<u8>, LogError> {
    let mut rng = ChaCha20Rng::from_seed(random()?);
    let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        public,
        INFO,
        plain,
        &[],
        &mut rng,
    );
    let (encapsulated, body) =
        sealed.map_err(|_| damaged("a key that nothing can be sealed to"))?;
    let sealed = [&encapsulated.to_bytes()[..], &body].concat();
    let length =
        u32::try_from(sealed.len()).map_err(|_| LogError::TooLarge { bytes: sealed.len() });
    let length = length?.to_le_bytes();
    let sum = checksum(&[&length, &sealed]);
    Ok([&FRAME_MAGIC[..], &length, &sealed, &sum].concat())
}

/// The sightings of a sealed scan; `None` if none of `keys` opens it.
fn open(sealed: &[u8], keys: &[DataKey]) -> Option<Vec<Sighting>> {
    let (encapsulated, body) = sealed.split_first_chunk::<ENCAPSULATED>()?;
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    let plain = keys.iter().rev().find_map(|key| {
        let (private, _) = X25519HkdfSha256::derive_keypair(key.secret_bytes());
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            INFO,
            body,
            &[],
        )
        .ok()
    })?;
    let mut sightings = Vec::new();
    for group in codec::decode::<Vec<ScanGroup>>(&plain).ok()? {
        group.visit(&mut |sighting| sightings.push(*sighting)).ok()?;
    }
    Some(sightings)
}

/// Puts the public half of `key` where the spool finds it.
pub(crate) fn publish_key(disk: &dyn Disk, key: Option<&DataKey>) -> Result<(), LogError> {
    let Some(key) = key else { return Ok(()) };
    let (_, public) = X25519HkdfSha256::derive_keypair(key.secret_bytes());
    let fixed = [&KEY_MAGIC[..], &SCHEMA.to_le_bytes(), &public.to_bytes()].concat();
    let bytes = [&fixed[..], &checksum(&[&fixed])].concat();
    let reading = "reading the spool's key";
    let found = match disk.open(KEY_FILE).doing(reading)? {
        Some(file) => Some(read_whole(&*file).doing(reading)?),
        None => None,
    };
    if found.as_ref() == Some(&bytes) {
        return Ok(());
    }
    replace(disk, KEY_FILE, &bytes).doing("writing the spool's key")
}

fn public_key(disk: &dyn Disk) -> Result<PublicKey, LogError> {
    let reading = "reading the spool's key";
    let file = disk.open(KEY_FILE).doing(reading)?.ok_or(LogError::Absent)?;
    let bytes = read_whole(&*file).doing(reading)?;
    let broken = || damaged("not what was written");
    let (fixed, sum) = bytes.split_last_chunk::<SUM>().ok_or_else(broken)?;
    let rest = fixed.strip_prefix(KEY_MAGIC).filter(|_| checksum(&[fixed]) == *sum);
    let (schema, public) = rest.ok_or_else(broken)?.split_first_chunk::<2>().ok_or_else(broken)?;
    schema::readable(u16::from_le_bytes(*schema)).map_err(|_| broken())?;
    PublicKey::from_bytes(public).map_err(|_| broken())
}

fn damaged(what: &str) -> LogError {
    LogError::corrupt(Damage { file: KEY_FILE, what: what.to_owned() })
}
