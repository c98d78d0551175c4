//! The few things the log asks of a file system, so that a test can refuse them one by one.

mod directory;

use core::fmt;
use std::io;
use std::sync::Arc;

pub use directory::Directory;

/// One folder of files. Names are plain file names without a path.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The file `name`, or `None` if there is none.
    ///
    /// # Errors
    /// The medium's.
    fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>>;

    /// A new empty file `name`; one of the same name is replaced.
    ///
    /// # Errors
    /// The medium's.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives the file `from` the name `to`, in one step. Handles stay valid, also those of a file
    /// that loses its name by this.
    ///
    /// # Errors
    /// The medium's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the file `name`, if there is one.
    ///
    /// # Errors
    /// The medium's.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes created, renamed and removed names durable.
    ///
    /// # Errors
    /// The medium's.
    fn sync_names(&self) -> io::Result<()>;
}

/// One file of a [`Disk`].
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Length in bytes.
    ///
    /// # Errors
    /// The medium's.
    fn length(&self) -> io::Result<u64>;

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// The medium's; `UnexpectedEof` past the end.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// The medium's. Some of the bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file off, or continues it with zeros.
    ///
    /// # Errors
    /// The medium's.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// The medium's.
    fn sync(&self) -> io::Result<()>;
}

/// No file of the log is longer; a longer one is not read into memory.
const LONGEST_WHOLE_FILE: u64 = 64 << 20;

/// Reads a whole small file.
pub(crate) fn read_whole(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = file.length()?;
    let fits = usize::try_from(length).ok().filter(|_| length <= LONGEST_WHOLE_FILE);
    let Some(length) = fits else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too long"));
    };
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Puts `bytes` in the place of the file `name`, whole or not at all, and overwrites what was
/// there: the name alone would leave the old bytes on the medium.
pub(crate) fn replace(disk: &dyn Disk, name: &str, bytes: &[u8]) -> io::Result<()> {
    let fresh = format!("{name}.new");
    let file = disk.create(&fresh)?;
    file.write_at(0, bytes)?;
    file.sync()?;
    let old = disk.open(name)?;
    disk.rename(&fresh, name)?;
    disk.sync_names()?;
    old.map_or(Ok(()), |old| blank(&*old))
}

/// Overwrites a file with zeros.
pub(crate) fn blank(file: &dyn DiskFile) -> io::Result<()> {
    let zeros = [0; 4096];
    let length = file.length()?;
    let mut offset = 0;
    while offset < length {
        let step = (length - offset).min(4096);
        let part = usize::try_from(step).ok().and_then(|step| zeros.get(..step));
        file.write_at(offset, part.unwrap_or(&zeros))?;
        offset += step;
    }
    file.sync()
}
