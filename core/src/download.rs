//! Key files: which there are, and which to fetch next.
//!
//! The core reads lists and decides; the app fetches. A list is written by a server and carried by
//! a network that nobody vouches for (only the key files themselves are signed), so every entry is
//! checked alone and a bad one costs its neighbours nothing.
//!
//! ```text
//!  list.json, index.txt ──► Listing ──► Downloads::next ──► app fetches ──► Engine ──► Downloads
//! ```
//!
//! Rules, each held by a test in `core/tests/download*.rs`:
//!
//! 1. what was fetched is known by its address, never by its time: two files of one time, and one
//!    that appears late, are both fetched;
//! 2. a file is behind the cursor only when the engine has committed its results;
//! 3. a file that fails waits alone; the others go on.

mod cocoa_list;
mod index;
mod listing;
mod progress;

pub use listing::{EntryIssue, ListError, ListedFile, Listing, Source, SourceError};
pub use progress::{Downloads, FetchError, FileStatus, Handover, Next};
