//! A folder of the operating system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Disk, DiskFile};

/// A folder, held by one process at a time.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Locked as long as it is open; the operating system unlocks it however the process ends.
    _lock: File,
}

impl Directory {
    /// The folder at `path`, which is made if it is missing, and readable for nobody else.
    ///
    /// # Errors
    /// `WouldBlock` if another process holds it; otherwise the operating system's.
    pub fn hold(path: &Path) -> io::Result<Self> {
        make_folder(path)?;
        let lock = options().create(true).truncate(false).open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds the log"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Reading and writing, for the owner alone.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Disk for Directory {
    fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        match options().open(self.path.join(name)) {
            Ok(file) => Ok(Some(Arc::new(Opened(Mutex::new(file))))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = options().create(true).truncate(true).open(self.path.join(name))?;
        Ok(Arc::new(Opened(Mutex::new(file))))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        // Only Unix lets a program open a folder; elsewhere renaming is durable by itself.
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

#[derive(Debug)]
struct Opened(Mutex<File>);

impl Opened {
    fn at<T>(&self, offset: u64, act: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        act(&mut file)
    }
}

impl DiskFile for Opened {
    fn length(&self) -> io::Result<u64> {
        self.at(0, |file| Ok(file.metadata()?.len()))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.at(offset, |file| file.read_exact(bytes))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.at(offset, |file| file.write_all(bytes))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.at(0, |file| file.set_len(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.at(0, |file| file.sync_data())
    }
}
