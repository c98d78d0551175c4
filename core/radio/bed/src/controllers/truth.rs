//! The ground truth: what was on the air and what which controller was told of it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::air::now;

pub(crate) struct Truth(BufWriter<File>);

impl Truth {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self(BufWriter::new(File::create(path)?)))
    }

    /// Adds a line about `controller`, with microseconds since 1970 by the wall clock and since boot
    /// by the one that nobody can set.
    pub(crate) fn say(&mut self, controller: usize, what: &str, mut fields: Value) {
        fields["controller"] = json!(controller);
        fields["event"] = json!(what);
        fields["micros"] = json!(wall_micros());
        fields["boot_micros"] = json!(u64::try_from(now().as_micros()).unwrap_or(u64::MAX));
        // A full disk ends the run elsewhere.
        let _ = writeln!(self.0, "{fields}");
        if what != "report" {
            self.flush();
        }
    }

    pub(crate) fn flush(&mut self) {
        let _ = self.0.flush();
    }
}

/// An address as people write it.
pub(crate) fn address(bytes: &[u8; 6]) -> String {
    let bytes: Vec<_> = bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[expect(clippy::disallowed_methods, reason = "a test bed has its own clock, the guest's")]
fn wall_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
