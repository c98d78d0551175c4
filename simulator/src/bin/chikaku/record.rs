//! `chikaku record`: what a controller says, as a capture.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use chikaku_radio::bluez::ControllerLog;
use chikaku_radio::btsnoop::{self, RecordKind};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{self, Failure};
use crate::output::say;

/// How long records that are on their way are waited for at the end.
const LAST_RECORDS: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to write the capture (btsnoop)
    out: PathBuf,
    /// The Bluetooth adapter; the others are left out
    #[arg(long, default_value = "hci0", value_parser = crate::live::adapter)]
    adapter: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = File::create(&arguments.out).map_err(|error| failure::at(&arguments.out, error))?;
    let mut capture = BufWriter::new(file);
    let mut records = 0_u64;
    let runtime = crate::live::runtime()?;
    let outcome: Result<(), Failure> = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::refused)?;
        let mut log = ControllerLog::open().map_err(Failure::refused)?;
        let mut written = capture.write_all(&btsnoop::LINUX_FILE_HEADER);
        let mut ends = false;
        while !ends && written.is_ok() {
            {
                let mut next = std::pin::pin!(log.receive(|record, bytes| {
                    // Data of connections is nobody's business here.
                    let wanted = matches!(record.kind, RecordKind::Command | RecordKind::Event);
                    if wanted && record.controller == arguments.adapter && written.is_ok() {
                        written = capture.write_all(bytes);
                        records += 1;
                    }
                }));
                tokio::select! {
                    received = &mut next => received.map_err(Failure::refused)?,
                    _ = interrupt.recv() => ends = true,
                    _ = terminate.recv() => ends = true,
                }
                if ends {
                    // What has been said already belongs to the capture. An interrupt from a
                    // terminal ends btmon, too.
                    let _ = tokio::time::timeout(LAST_RECORDS, next).await;
                }
            }
            // Whoever reads it while it grows sees whole records.
            written = written.and_then(|()| capture.flush());
        }
        written.map_err(|error| failure::at(&arguments.out, error))
    });
    outcome?;
    capture.flush().map_err(|error| failure::at(&arguments.out, error))?;
    say!("{}: {records} records", arguments.out.display());
    Ok(())
}
