//! What a source lists, entry by entry.

use http::Uri;
use thiserror::Error;

/// A list may be this long; COCOA's of two weeks were some tens of kilobytes.
pub(super) const MAX_LIST_BYTES: usize = 4 << 20;
/// So many files are taken from a list. Two weeks of a file every hour are 336.
pub(super) const MAX_FILES: usize = 10_000;

/// An address that is no place to fetch keys from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key file source is an https address without a user, a query or a fragment")]
pub struct SourceError;

/// A place that lists key files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    region: String,
    base: String,
    authority: String,
    path: String,
}

impl Source {
    /// The files of `region` under `base`, such as `https://cdn.example/c19r/440`. Files are
    /// fetched from this host and from under this path only. Plain http is for a server on the
    /// same machine.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn new(region: impl Into<String>, base: &str) -> Result<Self, SourceError> {
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| SourceError)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(SourceError);
        };
        let is_local = matches!(authority.host(), "127.0.0.1" | "[::1]" | "localhost");
        let is_safe = scheme == "https" || (scheme == "http" && is_local);
        let path = uri.path().trim_end_matches('/');
        if !is_safe || authority.as_str().contains('@') || base.contains(['?', '#', '\\']) {
            return Err(SourceError);
        }
        Ok(Self {
            region: region.into(),
            base: base.to_owned(),
            authority: authority.as_str().to_ascii_lowercase(),
            path: path.to_owned(),
        })
    }

    /// The region, as lists name it.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where COCOA's list is.
    #[must_use]
    pub fn cocoa_list_url(&self) -> String {
        format!("{}/list.json", self.base)
    }

    /// Where the index of an exposure-notifications-server is.
    #[must_use]
    pub fn index_url(&self) -> String {
        format!("{}/index.txt", self.base)
    }

    /// The address of a file that an index names relative to the source.
    pub(super) fn resolve(&self, name: &str) -> Result<String, EntryIssue> {
        check_path(name)?;
        Ok(format!("{}/{name}", self.base))
    }

    /// Checks a whole address.
    pub(super) fn check(&self, url: &str) -> Result<(), EntryIssue> {
        let uri: Uri = url.parse().map_err(|_| EntryIssue::Address)?;
        let scheme = self.base.split(':').next();
        if uri.scheme_str() != scheme {
            return Err(EntryIssue::Scheme);
        }
        // The whole authority: a user in front of the host is another host.
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        if authority.as_deref() != Some(self.authority.as_str()) {
            return Err(EntryIssue::OtherHost);
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(EntryIssue::Address);
        }
        let below = uri.path().strip_prefix(&self.path).and_then(|rest| rest.strip_prefix('/'));
        check_path(below.ok_or(EntryIssue::OtherPath)?)
    }
}

/// A relative path of plain names: no escape of any kind, so that no client can read it otherwise.
fn check_path(path: &str) -> Result<(), EntryIssue> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    if path.is_empty() || path.len() > 1024 || !path.bytes().all(is_plain) {
        return Err(EntryIssue::Address);
    }
    let climbs = |part: &str| part.is_empty() || part.chars().all(|c| c == '.');
    if path.split('/').any(climbs) {
        return Err(EntryIssue::OtherPath);
    }
    Ok(())
}

/// A file that may be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its address, which is also its name.
    pub url: String,
    /// When the server made it, in milliseconds since 1970; `None` if the list does not say. It
    /// decides about the order only.
    pub created_millis: Option<u64>,
}

/// Why an entry of a list is not used. Its number in the list goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryIssue {
    /// Not an object with `region`, `url` and `created`, or not text.
    #[error("the entry does not have the form of one")]
    Form,
    /// Another region.
    #[error("the entry is of another region")]
    Region,
    /// A time before 1970, or one that no calendar knows.
    #[error("the entry's time is out of range")]
    Created,
    /// No address, or one with anything but plain names in it.
    #[error("the entry's address is not a plain address")]
    Address,
    /// Not fetched securely.
    #[error("the entry's address does not have the source's scheme")]
    Scheme,
    /// Another host.
    #[error("the entry's address is at another host")]
    OtherHost,
    /// Not under the source's path.
    #[error("the entry's address is not under the source's path")]
    OtherPath,
    /// The same address as an earlier entry.
    #[error("the entry repeats an earlier one")]
    Repeated,
    /// More entries than are taken.
    #[error("the list has too many entries")]
    TooMany,
}

/// Why a list cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ListError {
    /// Longer than is read.
    #[error("a list of {bytes} bytes is longer than {limit}", limit = MAX_LIST_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not a JSON array.
    #[error("list.json is not an array: line {line}, column {column}")]
    NotAnArray {
        /// Where it stops being one.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// Not text.
    #[error("index.txt is not UTF-8 after byte {valid_up_to}")]
    NotText {
        /// How many bytes are.
        valid_up_to: usize,
    },
}

/// What a list came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, oldest first; of one time, in the list's order.
    pub files: Vec<ListedFile>,
    /// Number of the entry in the list, from 0, and what is wrong with it. Of very many, the
    /// first.
    pub skipped: Vec<(usize, EntryIssue)>,
}

impl Listing {
    /// So many skipped entries are named one by one.
    const MAX_SKIPPED: usize = 1_000;

    pub(super) fn collect(entries: impl Iterator<Item = Result<ListedFile, EntryIssue>>) -> Self {
        let mut listing = Self::default();
        let mut seen = std::collections::BTreeSet::new();
        for (number, entry) in entries.enumerate() {
            let issue = match entry {
                Err(issue) => issue,
                Ok(_) if listing.files.len() == MAX_FILES => EntryIssue::TooMany,
                Ok(file) if !seen.insert(file.url.clone()) => EntryIssue::Repeated,
                Ok(file) => {
                    listing.files.push(file);
                    continue;
                }
            };
            if listing.skipped.len() < Self::MAX_SKIPPED {
                listing.skipped.push((number, issue));
            }
        }
        listing.files.sort_by_key(|file| file.created_millis);
        listing
    }
}
