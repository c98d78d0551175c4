//! Records of a database that redb must not open any more.
//!
//! Each leaf of redb's tree is looked at by itself, wherever it stands in the file. That a record
//! is one, and in its place, is proven by its seal and by nothing else; so a damaged page costs
//! its own records, and nothing wrong is ever taken for right.

use std::collections::BTreeMap;

use crate::disk::{Disk, read_whole};
use crate::drawers::DrawerId;
use crate::pages::{FILE, Place};

/// Distance of places where a page can begin.
const PAGE: usize = 4096;
/// First byte of a leaf.
const LEAF: u8 = 1;
/// Bytes of a key: drawer and slot.
const KEY: usize = 4 + 8;

/// Everything in the file that may be a record; of one place there can be several.
pub(crate) fn scrape(disk: &dyn Disk) -> BTreeMap<Place, Vec<Vec<u8>>> {
    let file = disk.open(FILE).ok().flatten();
    let bytes = file.and_then(|file| read_whole(&*file).ok()).unwrap_or_default();
    let mut found: BTreeMap<Place, Vec<Vec<u8>>> = BTreeMap::new();
    for offset in (0..bytes.len()).step_by(PAGE) {
        for (place, sealed) in bytes.get(offset..).and_then(records).unwrap_or_default() {
            let versions = found.entry(place).or_default();
            if !versions.contains(&sealed) {
                versions.push(sealed);
            }
        }
    }
    found
}

/// The records of the leaf at the front of `page`, if it is one: type, padding, number of records,
/// where each value ends, keys, values.
fn records(page: &[u8]) -> Option<Vec<(Place, Vec<u8>)>> {
    let ([LEAF, _, low, high], rest) = page.split_first_chunk::<4>()? else { return None };
    let count = usize::from(u16::from_le_bytes([*low, *high]));
    let (ends, rest) = rest.split_at_checked(count.checked_mul(4)?)?;
    let (keys, _) = rest.split_at_checked(count.checked_mul(KEY)?)?;
    let mut start = 4 + ends.len() + keys.len();
    let mut records = Vec::new();
    for (end, key) in ends.chunks_exact(4).zip(keys.chunks_exact(KEY)) {
        let end = usize::try_from(u32::from_le_bytes(end.try_into().ok()?)).ok()?;
        let Some(value) = page.get(start..end) else { break };
        let (drawer, slot) = key.split_first_chunk::<4>()?;
        let slot = u64::from_le_bytes(slot.try_into().ok()?);
        records.push(((DrawerId(u32::from_le_bytes(*drawer)), slot), value.to_vec()));
        start = end;
    }
    Some(records)
}
