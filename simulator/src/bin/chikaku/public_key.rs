//! Public keys from a file, and key files verified with them.
//!
//! Whoever names a key on the command line trusts the key itself, under whatever id and version
//! the key file gives it.

use std::path::Path;

use chikaku_core::export::{
    ExportError, KeyExport, KeyIdentity, Limits, TrustedKey, TrustedKeys, Verified,
};

use crate::failure::{Failure, read_text};

/// Reads a PEM, a bare base64 `SubjectPublicKeyInfo`, or lines of `name base64`.
pub(crate) fn read(path: &Path) -> Result<Vec<PublicKey>, Failure> {
    let text = read_text(path)?;
    if text.contains("-----BEGIN") {
        return Ok(vec![PublicKey::Pem(text)]);
    }
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<_> = lines
        .filter_map(|line| line.split_whitespace().next_back())
        .map(|base64| PublicKey::Base64(base64.to_owned()))
        .collect();
    if keys.is_empty() {
        return Err(Failure::Refused(anyhow::anyhow!("{}: no public key", path.display())));
    }
    Ok(keys)
}

/// A public key as it stands in its file.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Pem(String),
    Base64(String),
}

impl PublicKey {
    fn named(&self, identity: KeyIdentity) -> Result<TrustedKey, Failure> {
        match self {
            Self::Pem(pem) => TrustedKey::from_pem(identity, pem),
            Self::Base64(base64) => TrustedKey::from_base64(identity, base64),
        }
        .map_err(Failure::refused)
    }

    fn trusted_as(&self, names: &[KeyIdentity]) -> Result<TrustedKeys, Failure> {
        let mut trusted = TrustedKeys::new();
        for name in names {
            trusted.add(self.named(name.clone())?);
        }
        if trusted.is_empty() {
            trusted.add(self.named(KeyIdentity::new("", ""))?);
        }
        Ok(trusted)
    }
}

/// Verifies `file` with any one of `keys`. The inner error is the file's, of the first key.
pub(crate) fn verify<'a>(
    file: &'a [u8],
    keys: &[PublicKey],
) -> Result<Result<KeyExport<'a, Verified>, ExportError>, Failure> {
    let open = || KeyExport::from_zip(file, Limits::DEFAULT);
    let announced = match open().and_then(KeyExport::accept_without_signature) {
        Ok(export) => export.metadata().signature_infos.clone(),
        Err(refused) => return Ok(Err(refused)),
    };
    let names: Vec<_> = announced.into_iter().map(|info| info.key).collect();
    let mut first = None;
    for key in keys {
        let trusted = key.trusted_as(&names)?;
        match open().and_then(|export| export.verify(&trusted)) {
            Ok(export) => return Ok(Ok(export)),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    Ok(Err(first.unwrap_or(ExportError::NoTrustedKey)))
}
