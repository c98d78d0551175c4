//! Public keys from a file, and key files verified with them.
//!
//! Whoever names a key on the command line trusts the key itself, under whatever id and version
//! the key file gives it.

use std::path::Path;

use chikaku_core::export::{
    ExportError, KeyExport, KeyIdentity, Limits, TrustedKey, TrustedKeys, Verified,
};

use crate::failure::{Failure, read_text};

const PEM_BEGINS: &str = "-----BEGIN";

/// Reads PEM blocks, or lines of `name base64` or bare base64. Other lines are skipped; a file
/// without any key is refused, with what is wrong with its first line.
pub(crate) fn read(path: &Path) -> Result<Vec<TrustedKey>, Failure> {
    let text = read_text(path)?;
    let nameless = || KeyIdentity::new("", "");
    let candidates: Vec<_> = if text.contains(PEM_BEGINS) {
        let blocks = text.split(PEM_BEGINS).skip(1);
        blocks
            .map(|block| TrustedKey::from_pem(nameless(), &format!("{PEM_BEGINS}{block}")))
            .collect()
    } else {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let last_words = lines.filter_map(|line| line.split_whitespace().next_back());
        last_words.map(|base64| TrustedKey::from_base64(nameless(), base64)).collect()
    };
    let mut first_error = None;
    let mut keys = Vec::new();
    for candidate in candidates {
        match candidate {
            Ok(key) => keys.push(key),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    let reason = first_error.map_or_else(|| anyhow::anyhow!("no public key"), anyhow::Error::new);
    Err(Failure::Refused(reason).about(path))
}

/// Verifies `file` with any one of `keys`. An error is that of the first key.
pub(crate) fn verify<'a>(
    file: &'a [u8],
    keys: &[TrustedKey],
) -> Result<KeyExport<'a, Verified>, ExportError> {
    let open = || KeyExport::from_bytes(file, Limits::DEFAULT);
    let announced = open()?.accept_without_signature()?.metadata().signature_infos.clone();
    let mut names: Vec<_> = announced.into_iter().map(|info| info.key).collect();
    if names.is_empty() {
        names.push(KeyIdentity::new("", ""));
    }
    let mut first = None;
    for key in keys {
        let named = |name: &KeyIdentity| {
            TrustedKey::from_sec1_bytes(name.clone(), &key.to_sec1_bytes()).ok()
        };
        let trusted: TrustedKeys = names.iter().filter_map(named).collect();
        match open()?.verify(&trusted) {
            Ok(export) => return Ok(export),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    Err(first.unwrap_or(ExportError::NoTrustedKey))
}
