//! The published files: `c19r/REGION/` with one archive an export, `list.json` and `index.txt`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chikaku_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why the folder cannot be used.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// A file in the list, as COCOA's apps read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedFile {
    /// The region.
    pub region: String,
    /// Its address.
    pub url: String,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
}

/// The folder, and the files in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    region: String,
    base_url: String,
    files: Vec<(u32, Timestamp)>,
}

impl Folder {
    /// Opens `root/c19r/REGION`, makes it if needed, and goes on behind what is there. Addresses in
    /// the list begin with `base_url`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(root: &Path, region: &str, base_url: &str) -> Result<Self, FolderError> {
        let path = root.join("c19r").join(region);
        fs::create_dir_all(&path).map_err(|source| FolderError { path: path.clone(), source })?;
        let mut folder = Self {
            path,
            region: region.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            files: Vec::new(),
        };
        folder.files = folder.read_list()?;
        folder.write_lists()?;
        Ok(folder)
    }

    fn read_list(&self) -> Result<Vec<(u32, Timestamp)>, FolderError> {
        let path = self.path.join("list.json");
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(FolderError { path, source }),
        };
        let listed: Vec<PublishedFile> = serde_json::from_slice(&json)
            .map_err(|error| FolderError { path, source: error.into() })?;
        let numbered = listed.iter().filter_map(|file| {
            let name = file.url.rsplit('/').next()?;
            let number = name.strip_suffix(".zip")?.parse().ok()?;
            Some((number, Timestamp::from_unix_seconds(file.created / 1_000).ok()?))
        });
        Ok(numbered.collect())
    }

    /// Adds an archive and lists it.
    ///
    /// # Errors
    /// [`FolderError`]; the archive is not listed then.
    pub fn publish(&mut self, zip: &[u8], now: Timestamp) -> Result<(), FolderError> {
        let number = self.files.last().map_or(1, |(number, _)| number + 1);
        self.write(&format!("{number}.zip"), zip)?;
        self.files.push((number, now));
        self.write_lists().inspect_err(|_| {
            self.files.pop();
        })
    }

    /// The file that a request's path names, if it is one of those that are published.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn file(&self, url_path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let below = url_path
            .strip_prefix("/c19r/")
            .and_then(|rest| rest.strip_prefix(&self.region))
            .and_then(|rest| rest.strip_prefix('/'));
        let is_published = |name: &&str| {
            let zip = |(number, _): &(u32, Timestamp)| format!("{number}.zip");
            matches!(*name, "list.json" | "index.txt")
                || self.files.iter().map(zip).any(|n| n == *name)
        };
        let Some(name) = below.filter(is_published) else { return Ok(None) };
        let path = self.path.join(name);
        fs::read(&path).map(Some).map_err(|source| FolderError { path, source })
    }

    /// How many archives are published.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn write_lists(&self) -> Result<(), FolderError> {
        let listed = self.files.iter().map(|(number, created)| PublishedFile {
            region: self.region.clone(),
            url: format!("{}/c19r/{}/{number}.zip", self.base_url, self.region),
            created: created.unix_seconds().saturating_mul(1_000),
        });
        let list = serde_json::to_vec_pretty(&listed.collect::<Vec<_>>()).unwrap_or_default();
        let index: String =
            self.files.iter().map(|(number, _)| format!("{number}.zip\n")).collect();
        self.write("list.json", &list)?;
        self.write("index.txt", index.as_bytes())
    }

    /// A reader sees the old file or the new one, never half of one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let unfinished = self.path.join(format!("{name}.new"));
        let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        written.map_err(|source| FolderError { path, source })
    }
}
