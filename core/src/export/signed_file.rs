//! Content of another format in the same archive: `export.bin` and `export.sig`, by the same
//! rules of signatures and the same limits.

use p256::ecdsa::DerSignature;
use prost::Message;
use sha2::{Digest, Sha256};

use super::archive;
use super::content::{Content, Entry};
use super::error::ExportError;
use super::limits::Limits;
use super::metadata::{ExportDigest, Metadata};
use super::signature::Signatures;
use super::signing::SigningKey;
use super::trust::TrustedKeys;
use super::wire::{TekSignature, TekSignatureList};
use super::writer::{WriteError, pack, signature_info};
use super::{EXPORT_SIG, archive::EXPORT_BIN};

/// A file that was read to its end once and whose signatures satisfied the trusted keys.
pub(crate) struct SignedFile<'a> {
    bin: Entry<'a>,
    limit: u64,
    digest: ExportDigest,
}

impl<'a> SignedFile<'a> {
    pub(crate) fn verify(
        zip: &'a [u8],
        trusted: &TrustedKeys,
        limits: &Limits,
    ) -> Result<Self, ExportError> {
        if trusted.is_empty() {
            return Err(ExportError::NoTrustedKey);
        }
        let files = archive::read(zip, limits)?;
        let sig = files.sig.ok_or(ExportError::MissingEntry { entry: EXPORT_SIG })?;
        let signatures = Signatures::read(sig, limits)?;
        let limit = limits.export_bin_bytes;
        let mut content = Content::new(files.bin, limit, true);
        loop {
            let count = content.available()?.len();
            if count == 0 {
                break;
            }
            content.consume(count);
        }
        let digest = ExportDigest::from_bytes(content.digest().unwrap_or_default());
        let metadata = Metadata {
            start: None,
            end: None,
            region: None,
            batch: None,
            signature_infos: Vec::new(),
            key_count: 0,
            revised_key_count: 0,
            digest,
        };
        signatures.verify_unannounced(trusted, &metadata)?;
        Ok(Self { bin: files.bin, limit, digest })
    }

    /// The content, from its start.
    pub(crate) fn content(&self) -> Content<'a> {
        Content::new(self.bin, self.limit, false)
    }

    pub(crate) const fn digest(&self) -> ExportDigest {
        self.digest
    }

    /// A stored content without an archive around it and without a signature, for fuzzing.
    pub(crate) fn bare(data: &'a [u8], limit: u64) -> Content<'a> {
        let entry = Entry { name: EXPORT_BIN, data, deflated: false, expected: None };
        Content::new(entry, limit, false)
    }
}

/// Signs and packs `bin`.
pub(crate) fn pack_signed(bin: &[u8], key: &SigningKey) -> Result<Vec<u8>, WriteError> {
    let digest: [u8; 32] = Sha256::digest(bin).into();
    let signature: DerSignature = key.sign_digest(&digest).ok_or(WriteError::Signature)?;
    let list = TekSignatureList {
        signatures: vec![TekSignature {
            signature_info: Some(signature_info(key)),
            batch_num: Some(1),
            batch_size: Some(1),
            signature: Some(signature.as_bytes().to_vec()),
        }],
    };
    pack(bin, &list.encode_to_vec()).map_err(|_| WriteError::Zip)
}
