//! The audit trail. A refusal is kept as a stable code and its sentence, because the reasons for
//! refusing a file are many and grow.

use chikaku_core::encounter_log::{AuditEntry, AuditedFile};
use chikaku_core::export::{ExportDigest, ExportError};
use chikaku_core::matching::{DroppedSightings, NearMisses};
use serde::{Deserialize, Serialize};

use super::timestamp;
use crate::codec::Undecodable;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredAudit {
    at: i64,
    outcome: Result<StoredFile, StoredRefusal>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredFile {
    digest: [u8; 32],
    keys: u64,
    skipped: u64,
    matched: u64,
    near_misses: u64,
    outside_tolerance: u32,
    after_identifier_lifetime: u32,
    after_publication: u32,
    clock_suspect: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredRefusal {
    code: String,
    text: String,
}

impl StoredAudit {
    pub(super) fn of(entry: &AuditEntry) -> Self {
        let outcome = match &entry.outcome {
            Ok(file) => Ok(StoredFile {
                digest: *file.digest.as_bytes(),
                keys: file.keys,
                skipped: file.skipped,
                matched: file.matched,
                near_misses: file.near_misses.keys,
                outside_tolerance: file.near_misses.sightings.outside_tolerance,
                after_identifier_lifetime: file.near_misses.sightings.after_identifier_lifetime,
                after_publication: file.near_misses.sightings.after_publication,
                clock_suspect: file.near_misses.sightings.clock_suspect,
            }),
            Err(refused) => {
                Err(StoredRefusal { code: refused.code().to_owned(), text: refused.to_string() })
            }
        };
        Self { at: entry.at.unix_seconds(), outcome }
    }

    pub(super) fn restore(self) -> Result<AuditEntry, Undecodable> {
        let outcome = match self.outcome {
            Ok(file) => {
                let mut sightings = DroppedSightings::default();
                sightings.outside_tolerance = file.outside_tolerance;
                sightings.after_identifier_lifetime = file.after_identifier_lifetime;
                sightings.after_publication = file.after_publication;
                sightings.clock_suspect = file.clock_suspect;
                Ok(AuditedFile {
                    digest: ExportDigest::from_bytes(file.digest),
                    keys: file.keys,
                    skipped: file.skipped,
                    matched: file.matched,
                    near_misses: NearMisses { keys: file.near_misses, sightings },
                })
            }
            Err(StoredRefusal { code, text }) => Err(ExportError::Recorded { code, text }),
        };
        Ok(AuditEntry { at: timestamp(self.at)?, outcome })
    }
}
