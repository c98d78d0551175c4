//! A key server for tests and simulations, never for people's keys: it checks no attestation and
//! no certificate.
//!
//! [`KeyServer`] takes what apps upload and decides what is published; it knows no network and no
//! disk. [`Folder`] keeps the published files, [`serve`] puts both behind HTTP. Requests:
//!
//! | | |
//! |---|---|
//! | `PUT /v2/diagnosis`, `PUT /v3/diagnosis` | COCOA |
//! | `POST /v1/publish` | exposure-notifications-server |
//! | `GET /c19r/REGION/list.json`, `…/index.txt`, `…/N.zip` | what is published |

mod folder;
mod http;
mod privacy;
mod upload;

use std::collections::BTreeMap;

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::export::{Batch, ExportWriter, SigningKey, WriteError};
use chikaku_core::publish::cocoa::row_id;
use chikaku_core::time::Timestamp;
use rand_core::CryptoRng;

pub use folder::{Folder, FolderError, PublishedFile};
pub use http::{PublishError, Site, serve};
pub use privacy::PrivacyRules;
pub use upload::{Reply, Upload};

/// Which numbers entitle to publish.
#[derive(Clone, Debug)]
pub enum Numbers {
    /// Every one of eight digits, as often as anybody likes.
    All,
    /// These, each for one upload and its repetitions.
    Issued(Vec<String>),
}

/// What was uploaded, and what of it has been published.
#[derive(Debug)]
pub struct KeyServer {
    region: String,
    signing_key: SigningKey,
    rules: PrivacyRules,
    numbers: Numbers,
    /// By number: the name of the attempt that used it.
    used: BTreeMap<String, String>,
    /// By row id.
    stored: BTreeMap<String, Stored>,
    /// Up to when keys have been published.
    published_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Stored {
    key: DiagnosisKey,
    received: Timestamp,
    published: bool,
}

/// An export that is to be written, and then confirmed.
#[derive(Debug)]
pub struct Export {
    /// The signed archive.
    pub zip: Vec<u8>,
    window_end: Timestamp,
    rows: Vec<String>,
}

impl KeyServer {
    /// A server of `region` without any key.
    #[must_use]
    pub fn new(
        region: impl Into<String>,
        signing_key: SigningKey,
        rules: PrivacyRules,
        numbers: Numbers,
    ) -> Self {
        Self {
            region: region.into(),
            signing_key,
            rules,
            numbers,
            used: BTreeMap::new(),
            stored: BTreeMap::new(),
            published_until: None,
        }
    }

    /// How many keys were uploaded.
    #[must_use]
    pub fn stored_keys(&self) -> usize {
        self.stored.len()
    }

    /// Takes an upload. A decoy is checked like any other, answered like any other, and not kept.
    pub fn receive(
        &mut self,
        upload: &Upload<'_>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Reply {
        let submission = match upload.read(now) {
            Ok(submission) => submission,
            Err(reply) => return reply,
        };
        if !upload.decoy {
            if !self.entitle(submission.number.as_deref(), &submission.attempt) {
                return Reply::number_refused();
            }
            for key in submission.keys {
                let stored = Stored { key, received: now, published: false };
                self.stored.entry(row_id(&submission.attempt, &key)).or_insert(stored);
            }
        }
        upload.accepted(rng)
    }

    /// Whether `number` entitles the attempt of this name. Unlike COCOA's server this one does not
    /// forget which attempt used a number, so that a repeated attempt succeeds.
    fn entitle(&mut self, number: Option<&str>, attempt: &str) -> bool {
        match (&self.numbers, number) {
            (Numbers::All, _) | (_, None) => true,
            (Numbers::Issued(issued), Some(number)) => {
                let is_issued = issued.iter().any(|one| one == number);
                is_issued
                    && self.used.entry(number.to_owned()).or_insert_with(|| attempt.to_owned())
                        == attempt
            }
        }
    }

    /// What is to be published at `now`; `None` if that is nothing.
    ///
    /// # Errors
    /// The writer's.
    pub fn prepare_export(
        &self,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Option<Export>, WriteError> {
        let window_end = self.rules.window_end(now);
        let is_due = |stored: &Stored| {
            !stored.published && self.rules.counts_from(&stored.key, stored.received) < window_end
        };
        let due: Vec<_> = self.stored.iter().filter(|(_, stored)| is_due(stored)).collect();
        let Some(earliest) = due.iter().map(|(_, stored)| stored.received).min() else {
            return Ok(None);
        };
        let keys: Vec<_> = due.iter().map(|(_, stored)| stored.key).collect();
        let window_start = self.published_until.unwrap_or_else(|| PrivacyRules::hour_of(earliest));
        let written = ExportWriter::new()
            .window(window_start, window_end)
            .region(&self.region)
            .batch(Batch::SINGLE)
            .keys(self.rules.pad(&keys, rng))
            .keys(keys)
            .signed_with(self.signing_key.clone())
            .write()?;
        let rows = due.into_iter().map(|(row, _)| row.clone()).collect();
        Ok(Some(Export { zip: written.zip, window_end, rows }))
    }

    /// The export has been written.
    pub fn confirm(&mut self, export: &Export) {
        self.published_until = Some(export.window_end);
        for row in &export.rows {
            if let Some(stored) = self.stored.get_mut(row) {
                stored.published = true;
            }
        }
    }

    /// Forgets keys that no phone looks for any more.
    pub fn forget_old(&mut self, now: Timestamp) {
        let before = now.day().saturating_sub(15).start();
        self.stored.retain(|_, stored| stored.received >= before);
    }
}
