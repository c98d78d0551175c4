//! The `index.txt` of an exposure-notifications-server: one file name a line, oldest first.

use super::listing::{ListError, ListedFile, Listing, MAX_LIST_BYTES, Source};

impl Listing {
    /// Reads `index.txt`: names relative to the source. Empty lines count as no entries.
    ///
    /// # Errors
    /// [`ListError::TooLong`], [`ListError::NotText`]. What is wrong with a line is in
    /// [`Listing::skipped`].
    pub fn from_index(text: &[u8], source: &Source) -> Result<Self, ListError> {
        if text.len() > MAX_LIST_BYTES {
            return Err(ListError::TooLong { bytes: text.len() });
        }
        let text = core::str::from_utf8(text)
            .map_err(|error| ListError::NotText { valid_up_to: error.valid_up_to() })?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let names = lines.filter(|line| !line.is_empty());
        let file = |url| ListedFile { url, created_millis: None };
        Ok(Self::collect(names.map(|name| source.resolve(name).map(file))))
    }
}
