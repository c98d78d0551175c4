//! The scenarios that are built in: `simulator/scenarios/*.toml`.

use super::{Scenario, ScenarioError};

/// A scenario of the library.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name on the command line: the file's, without the ending.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

impl Entry {
    /// Reads it.
    ///
    /// # Errors
    /// None in a released version; a test holds that.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        Scenario::parse(self.text)
    }
}

macro_rules! entries {
    ($($name:literal),* $(,)?) => {
        &[$(Entry {
            name: $name,
            text: include_str!(concat!("../../scenarios/", $name, ".toml")),
        }),*]
    };
}

/// Every scenario, by name. A test holds the list against the folder.
pub const LIBRARY: &[Entry] = entries![
    "across_the_room",
    "app_on_iphones",
    "bluetooth_off",
    "clock_off",
    "clock_set_and_corrected",
    "day_boundary",
    "flipped_bits",
    "flood",
    "key_injection",
    "killed_in_the_background",
    "killed_in_the_download",
    "killed_in_the_notice",
    "late_files",
    "late_key",
    "location_off",
    "lost_file",
    "notifications_off",
    "office_lunch",
    "permission_lost",
    "plain_contact",
    "poisoned_files",
    "reboots",
    "relay",
    "replay",
    "same_day_release",
    "scans_lost",
    "short_passes",
    "silent_configuration",
    "sniffer",
    "through_the_wall",
    "time_machine",
    "too_old",
    "walking_about",
];

/// The scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}
