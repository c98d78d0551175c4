//! COCOA's `list.json`: an array of `{"region", "url", "created"}`.

use serde::Deserialize;
use serde_json::Value;

use super::listing::{EntryIssue, ListError, ListedFile, Listing, MAX_LIST_BYTES, Source};
use crate::time::Timestamp;

#[derive(Deserialize)]
struct Entry {
    region: String,
    url: String,
    created: i64,
}

impl Listing {
    /// Reads `list.json`. Fields that COCOA does not know are ignored.
    ///
    /// # Errors
    /// [`ListError::TooLong`], [`ListError::NotAnArray`]. What is wrong with an entry is in
    /// [`Listing::skipped`].
    pub fn from_cocoa_list(json: &[u8], source: &Source) -> Result<Self, ListError> {
        if json.len() > MAX_LIST_BYTES {
            return Err(ListError::TooLong { bytes: json.len() });
        }
        let entries: Vec<Value> = serde_json::from_slice(json).map_err(|error| {
            ListError::NotAnArray { line: error.line(), column: error.column() }
        })?;
        Ok(Self::collect(entries.into_iter().map(|entry| listed(entry, source))))
    }
}

fn listed(entry: Value, source: &Source) -> Result<ListedFile, EntryIssue> {
    let Entry { region, url, created } =
        serde_json::from_value(entry).map_err(|_| EntryIssue::Form)?;
    if region != source.region() {
        return Err(EntryIssue::Region);
    }
    source.check(&url)?;
    let is_a_time = Timestamp::from_unix_seconds(created.div_euclid(1_000)).is_ok();
    let created = u64::try_from(created).ok().filter(|_| is_a_time);
    Ok(ListedFile { url, created_millis: Some(created.ok_or(EntryIssue::Created)?) })
}
