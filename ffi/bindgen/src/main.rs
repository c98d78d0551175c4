//! The generator of the very version that the library is built with, and one command more:
//! `uniffi-bindgen interface LIBRARY` prints everything that the library exports.

mod interface;

use std::process::ExitCode;

use anyhow::Context;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("interface") {
        uniffi::uniffi_bindgen_main();
        return ExitCode::SUCCESS;
    }
    let printed = arguments
        .next()
        .context("interface: which library?")
        .and_then(|library| interface::print(&library, &mut std::io::stdout().lock()));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a command tells its user what went wrong")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
