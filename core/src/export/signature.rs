//! Whether a file's signatures satisfy the trusted keys, by the rules of Google's key-file
//! verifier.

use p256::ecdsa::Signature;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use prost::Message;

use super::archive::EXPORT_SIG;
use super::content::{Content, Entry};
use super::error::{ExportError, excerpt};
use super::limits::Limits;
use super::metadata::{Batch, Metadata, SignatureInfo};
use super::trust::{KeyIdentity, TrustedKey, TrustedKeys};
use super::wire::{ECDSA_WITH_SHA256, TekSignature, TekSignatureList};

/// The signatures of one file, at least one.
#[derive(Debug)]
pub(super) struct Signatures(Vec<TekSignature>);

impl Signatures {
    /// Reads export.sig.
    pub(super) fn read(sig: Entry<'_>, limits: &Limits) -> Result<Self, ExportError> {
        let bytes = Content::new(sig, limits.export_sig_bytes, false).read_to_end()?;
        let list = TekSignatureList::decode(bytes.as_slice())
            .map_err(|_| ExportError::MalformedSignatureList)?;
        let limit = limits.signatures;
        match list.signatures.len() {
            0 => Err(ExportError::EmptySignatureList),
            count if count > limit => {
                Err(ExportError::TooManySignatures { entry: EXPORT_SIG, limit })
            }
            _ => Ok(Self(list.signatures)),
        }
    }

    /// The keys that signed the file, if they make up a co-sign set.
    ///
    /// Signatures that fail do no harm as long as others suffice: a server that changes its key
    /// signs with the old and the new one. If they do not suffice, the error is that of the
    /// signature that came closest.
    pub(super) fn verify(
        &self,
        trusted: &TrustedKeys,
        metadata: &Metadata,
    ) -> Result<Vec<KeyIdentity>, ExportError> {
        let (announced, found) = (metadata.signature_infos.len(), self.0.len());
        if announced != found {
            return Err(ExportError::SignatureCount { announced, found });
        }
        self.verify_unannounced(trusted, metadata)
    }

    /// As [`Signatures::verify`], for a file whose format announces no signatures.
    pub(super) fn verify_unannounced(
        &self,
        trusted: &TrustedKeys,
        metadata: &Metadata,
    ) -> Result<Vec<KeyIdentity>, ExportError> {
        let mut signers: Vec<&TrustedKey> = Vec::new();
        let mut failures = Vec::new();
        for signature in &self.0 {
            match self.check(signature, trusted, metadata) {
                Ok(signer) => signers.push(signer),
                Err(error) => failures.push(error),
            }
        }
        let lacking = |set: &[TrustedKey]| -> Vec<KeyIdentity> {
            let missing = set.iter().filter(|key| !signers.contains(key));
            missing.map(|key| key.identity().clone()).collect()
        };
        let closest = trusted.sets().map(lacking).min_by_key(Vec::len);
        let missing = closest.ok_or(ExportError::NoTrustedKey)?;
        let Some(missing) = missing.into_iter().next() else {
            return Ok(signers.into_iter().map(|key| key.identity().clone()).collect());
        };
        if !signers.is_empty() {
            failures.push(ExportError::CosignIncomplete { missing });
        }
        Err(failures.into_iter().max_by_key(closeness).unwrap_or(ExportError::EmptySignatureList))
    }

    /// The trusted key that made this signature.
    fn check<'k>(
        &self,
        signature: &TekSignature,
        trusted: &'k TrustedKeys,
        metadata: &Metadata,
    ) -> Result<&'k TrustedKey, ExportError> {
        let info = SignatureInfo::from(signature.signature_info.clone().unwrap_or_default());
        let candidates = self.candidates(&info.key, trusted)?;
        if info.algorithm.as_deref().is_some_and(|oid| oid != ECDSA_WITH_SHA256) {
            let oid = excerpt(info.algorithm.as_deref().unwrap_or_default());
            return Err(ExportError::UnsupportedAlgorithm { oid });
        }
        let key = info.key;
        // A file or a signature that says nothing of a batch stands alone.
        let stands_alone = |batch: Option<Batch>| batch.unwrap_or(Batch::SINGLE);
        let signed = Batch::from_wire(signature.batch_num, signature.batch_size);
        if signed.map(stands_alone) != Ok(stands_alone(metadata.batch)) {
            return Err(ExportError::BatchMismatch { key });
        }
        let bytes = signature.signature.as_deref().unwrap_or_default();
        let Ok(signature) = Signature::from_der(bytes) else {
            return Err(match bytes.len() {
                64 => ExportError::RawSignature { key },
                _ => ExportError::MalformedSignature { key },
            });
        };
        let digest = metadata.digest.as_bytes();
        candidates
            .into_iter()
            .find(|key| key.verifying_key().verify_prehash(digest, &signature).is_ok())
            .ok_or(ExportError::SignatureMismatch { key })
    }

    /// The trusted keys that a signature may mean; at least one.
    fn candidates<'k>(
        &self,
        named: &KeyIdentity,
        trusted: &'k TrustedKeys,
    ) -> Result<Vec<&'k TrustedKey>, ExportError> {
        if named.is_empty() {
            let only = trusted.only_key().filter(|_| self.0.len() == 1);
            return only.map(|key| vec![key]).ok_or(ExportError::SignatureWithoutKey);
        }
        let keys: Vec<_> = trusted.keys().filter(|key| key.identity() == named).collect();
        if !keys.is_empty() {
            return Ok(keys);
        }
        let id = excerpt(&named.id);
        if trusted.keys().any(|key| key.identity().id == named.id) {
            Err(ExportError::WrongKeyVersion { id, version: excerpt(&named.version) })
        } else {
            Err(ExportError::UnknownKeyId { id })
        }
    }
}

/// How far a signature got before it failed, to report the failure that tells most.
const fn closeness(error: &ExportError) -> u8 {
    match error {
        ExportError::SignatureMismatch { .. } => 8,
        ExportError::RawSignature { .. } => 7,
        ExportError::MalformedSignature { .. } => 6,
        ExportError::BatchMismatch { .. } => 5,
        ExportError::UnsupportedAlgorithm { .. } => 4,
        ExportError::CosignIncomplete { .. } => 3,
        ExportError::WrongKeyVersion { .. } => 2,
        ExportError::SignatureWithoutKey => 1,
        _ => 0,
    }
}
