//! Trials on real data, which are no part of the project: `CHIKAKU_DATA` names their folder (default
//! `../shared/data`). Without it they are skipped, loudly; in continuous integration they fail.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads its data")]

use std::env;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

pub(crate) type Outcome = Result<(), Failed>;

/// One of the data's folders.
pub(crate) struct Data {
    folder: PathBuf,
    skipped: bool,
}

impl Data {
    pub(crate) fn folder(name: &str) -> Self {
        let folder = env::var_os("CHIKAKU_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let folder = folder.join(name);
        let missing = !folder.is_dir();
        if missing {
            eprintln!("NO DATA: {} is not a folder; set CHIKAKU_DATA.", folder.display());
        }
        Self { folder, skipped: missing && env::var_os("CI").is_none() }
    }

    pub(crate) fn trial(&self, name: &str, test: fn(&Path) -> Outcome) -> Trial {
        let folder = self.folder.clone();
        Trial::test(name, move || test(&folder)).with_ignored_flag(self.skipped)
    }
}
