//! The root key on a desktop: a file that only its owner may read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chikaku_log::RootKey;

use crate::failure::{self, Failure};

/// The key file that belongs to `folder`.
pub(super) fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".key");
    folder.with_file_name(name)
}

pub(super) fn read(path: &Path) -> Result<RootKey, Failure> {
    refuse_if_others_may_read(path)?;
    let mut text = failure::read_text(path)?;
    let mut bytes = [0; 32];
    let read = hex::decode_to_slice(text.trim(), &mut bytes);
    zeroize::Zeroize::zeroize(&mut text);
    let refused = |_| anyhow::anyhow!("{}: not 64 hexadecimal digits", path.display());
    read.map_err(refused).map_err(Failure::Refused)?;
    Ok(RootKey::from_bytes(bytes))
}

/// A new key in a new file.
pub(super) fn make(path: &Path) -> Result<RootKey, Failure> {
    let key = RootKey::generate().map_err(Failure::refused)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = zeroize::Zeroizing::new(hex::encode(key.secret_bytes()));
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| failure::at(path, error))?;
    Ok(key)
}

#[cfg(unix)]
fn refuse_if_others_may_read(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| failure::at(path, error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::Refused(anyhow::anyhow!("{path}: others may read this key (chmod 600)")))
}

#[cfg(not(unix))]
fn refuse_if_others_may_read(path: &Path) -> Result<(), Failure> {
    fs::metadata(path).map(|_| ()).map_err(|error| failure::at(path, error))
}
