//! Progress on standard error, for people: nothing where nobody watches, nothing for what is over
//! in a moment.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of `length` steps.
pub(crate) fn bar(length: u64, what: &'static str) -> ProgressBar {
    // indicatif shows nothing unless standard error is a terminal.
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(4));
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}
