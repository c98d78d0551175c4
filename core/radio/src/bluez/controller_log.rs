//! What the controller says, as it says it: the kernel's monitor channel, through `btmon`.
//!
//! `btmon` comes with BlueZ and writes btsnoop. It runs as a process of its own: the channel needs
//! `CAP_NET_RAW`, which this process then need not have if `btmon` has it, and a socket that only
//! unsafe code can open.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;

use crate::btsnoop::{BtsnoopError, Record, RecordStream};
use crate::capture::{CaptureInstant, CaptureOptions, CapturedScan, LiveScans, ScanningHost};
use crate::node::wall_millis;
use chikaku_core::advertisement::AdvertisementFormat;

/// Why the controller's reports cannot be read, or no longer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControllerLogError {
    /// `btmon` does not start.
    #[error("btmon does not start: {0}")]
    Start(#[source] std::io::Error),
    /// What `btmon` writes cannot be read.
    #[error("btmon's output cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// `btmon` writes something else: mostly that it may not listen.
    #[error("btmon wrote no capture (it needs CAP_NET_RAW): {0}")]
    NoCapture(#[from] BtsnoopError),
    /// `btmon` has ended.
    #[error("btmon has ended")]
    Ended,
}

/// How long `btmon` may take to start.
const UNTIL_LISTENING: Duration = Duration::from_secs(10);

/// How long records gather before they are read. A scan has hundreds of records a second: one
/// wake-up for each costs more than what is done about it. In this time the busiest controller says
/// an eighth of what the pipe holds.
const GATHERING: Duration = Duration::from_millis(100);

/// A running `btmon`.
#[derive(Debug)]
pub struct ControllerLog {
    /// Killed when dropped.
    _btmon: Child,
    output: Output,
    records: RecordStream,
    buffer: Vec<u8>,
}

/// The pipe from `btmon`. While records gather, the runtime does not know of it: it would wake up
/// for each of them.
#[derive(Debug)]
enum Output {
    Awaited(ChildStderr),
    LeftAlone(std::process::ChildStderr),
    /// It could not be handed over.
    Lost,
}

impl Output {
    fn leave_alone(&mut self) -> std::io::Result<()> {
        *self = match core::mem::replace(self, Self::Lost) {
            Self::Awaited(output) => Self::LeftAlone(output.into_owned_fd()?.into()),
            other => other,
        };
        Ok(())
    }

    fn awaited(&mut self) -> std::io::Result<&mut ChildStderr> {
        *self = match core::mem::replace(self, Self::Lost) {
            Self::LeftAlone(output) => Self::Awaited(ChildStderr::from_std(output)?),
            other => other,
        };
        match self {
            Self::Awaited(output) => Ok(output),
            Self::LeftAlone(_) | Self::Lost => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl ControllerLog {
    /// Starts listening to all controllers.
    ///
    /// # Errors
    /// [`ControllerLogError::Start`].
    pub fn open() -> Result<Self, ControllerLogError> {
        // It writes text to its standard output whatever it is told, so the capture goes to the
        // other one.
        let mut btmon = Command::new("btmon")
            .args(["-w", "/proc/self/fd/2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ControllerLogError::Start)?;
        let output = Output::Awaited(btmon.stderr.take().ok_or(ControllerLogError::Ended)?);
        let records = RecordStream::new();
        Ok(Self { _btmon: btmon, output, records, buffer: vec![0; 65_536] })
    }

    /// Waits for the next bytes and hands out the records that they complete, each with its bytes
    /// as they stand in a capture: ten times a second at most. Nothing is lost if it is dropped while
    /// it waits.
    ///
    /// # Errors
    /// [`ControllerLogError`]; nothing more will come.
    pub async fn receive(
        &mut self,
        each: impl FnMut(&Record<'_>, &[u8]),
    ) -> Result<(), ControllerLogError> {
        self.output.leave_alone().map_err(ControllerLogError::Read)?;
        tokio::time::sleep(GATHERING).await;
        let output = self.output.awaited().map_err(ControllerLogError::Read)?;
        let length = output.read(&mut self.buffer).await.map_err(ControllerLogError::Read)?;
        if length == 0 {
            return Err(ControllerLogError::Ended);
        }
        let bytes = self.buffer.get(..length).unwrap_or_default();
        Ok(self.records.receive(bytes, each)?)
    }
}

/// Follows one controller in the background.
#[derive(Debug)]
pub(super) struct ControllerScans {
    scans: Arc<Mutex<LiveScans>>,
    /// Whether a record has come. The kernel names every adapter to whoever begins to listen.
    listening: watch::Receiver<bool>,
    reader: tokio::task::JoinHandle<ControllerLogError>,
}

impl ControllerScans {
    pub(super) fn follow(
        controller: u16,
        format: AdvertisementFormat,
    ) -> Result<Self, ControllerLogError> {
        let mut log = ControllerLog::open()?;
        let options = CaptureOptions {
            host: ScanningHost::Linux,
            format,
            controller,
            ..CaptureOptions::default()
        };
        let scans = Arc::new(Mutex::new(LiveScans::new(options)));
        let shared = Arc::clone(&scans);
        let (hears, listening) = watch::channel(false);
        let reader = tokio::spawn(async move {
            loop {
                let outcome = log
                    .receive(|record, _| {
                        hears.send_if_modified(|hears| !core::mem::replace(hears, true));
                        shared.lock().unwrap_or_else(PoisonError::into_inner).record(record);
                    })
                    .await;
                if let Err(error) = outcome {
                    return error;
                }
            }
        });
        Ok(Self { scans, listening, reader })
    }

    /// Waits until it hears the controller; `false` if it never will. A scan that begins before
    /// would begin unheard.
    pub(super) async fn listens(&mut self) -> bool {
        let heard = self.listening.wait_for(|listening| *listening);
        matches!(tokio::time::timeout(UNTIL_LISTENING, heard).await, Ok(Ok(_)))
            && !self.reader.is_finished()
    }

    /// The scans that are over.
    pub(super) fn take_finished(&self) -> Vec<CapturedScan> {
        let now = CaptureInstant::from_unix_micros(wall_millis().saturating_mul(1000));
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        now.map(|now| scans.take_finished(now)).unwrap_or_default()
    }

    /// What the scan that still runs has heard, as a scan that ends now; it goes on as another.
    pub(super) fn cut(&self) -> Option<CapturedScan> {
        let now = CaptureInstant::from_unix_micros(wall_millis().saturating_mul(1000))?;
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).cut(now)
    }
}

impl Drop for ControllerScans {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
