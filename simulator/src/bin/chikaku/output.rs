//! Standard output. A reader that has seen enough (`| head`) ends the command quietly.

use core::fmt;
use std::io::{self, Write};
use std::process;

/// Prints one line.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
        Err(error) => {
            complain(&format_args!("standard output: {error}"));
            process::exit(1);
        }
    }
}

/// Says on standard error what went wrong, if anybody still listens there.
pub(crate) fn complain(what: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "chikaku: {what}");
}

/// Prints a line as `println!` does, without its panic.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))
    };
}
pub(crate) use say;

/// Prints `value` as JSON for machines.
pub(crate) fn json(value: &serde_json::Value) {
    say!("{value:#}");
}
