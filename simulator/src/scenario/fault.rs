//! What goes wrong on a phone, on the way, or at the server, and when.

use chikaku_core::status::HostFact;
use chikaku_core::time::Timestamp;
use serde::Deserialize;

/// Something that goes wrong at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When, in true time.
    pub at: Timestamp,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong. Phones are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Somebody moves the wall clock.
    ClockSet {
        /// Whose.
        phone: usize,
        /// By how many seconds; negative is back.
        seconds: i64,
    },
    /// No fault: the host learns the true time from a server.
    TrustedTime {
        /// Whose host.
        phone: usize,
    },
    /// The phone is switched off and on again.
    Reboot {
        /// Which.
        phone: usize,
        /// When it is on again.
        until: Timestamp,
    },
    /// The operating system kills the process and starts it again later.
    ProcessKilled {
        /// On which phone.
        phone: usize,
        /// When it is started again.
        until: Timestamp,
    },
    /// Something that only the host knows is missing.
    Missing {
        /// On which phone.
        phone: usize,
        /// What.
        what: HostFact,
        /// Until when.
        until: Timestamp,
    },
    /// Scans are begun and their results never come.
    ScansLost {
        /// On which phone.
        phone: usize,
        /// Until when.
        until: Timestamp,
    },
    /// No file can be fetched.
    DownloadsFail {
        /// By which phone.
        phone: usize,
        /// Until when.
        until: Timestamp,
    },
    /// Files that are issued from now on are listed, and nobody can ever fetch them.
    FilesLost {
        /// Files that are issued later are good again.
        until: Timestamp,
    },
    /// The process dies in the next download, when a file is there and not matched yet, and starts
    /// again an hour later.
    KilledInDownload {
        /// On which phone.
        phone: usize,
    },
    /// The process dies when it is about to tell the user, and starts again an hour later.
    KilledInNotice {
        /// On which phone.
        phone: usize,
    },
    /// The server issues a file that is no good.
    PoisonedFile {
        /// In which way.
        content: FileContent,
    },
    /// The phone downloads a configuration under which nobody can be notified.
    SilentConfiguration {
        /// Which.
        phone: usize,
    },
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileContent {
    /// Random bytes.
    Garbage,
    /// Half of a good file.
    Truncated,
    /// A good file with one bit flipped.
    Flipped,
    /// A good file that an unknown key has signed.
    UntrustedSignature,
}

/// The kinds of fault as scenario files name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultWord {
    ClockSet,
    TrustedTime,
    Reboot,
    ProcessKilled,
    BluetoothOff,
    PermissionMissing,
    LocationOff,
    NotificationsOff,
    ScansLost,
    DownloadsFail,
    FilesLost,
    KilledInDownload,
    KilledInNotice,
    PoisonedFile,
    SilentConfiguration,
}
