//! The defences that can be switched off, one at a time, to show that a scenario notices.
//!
//! None of them has a switch in the core. What is switched off is off in the host that the
//! simulator plays, or the host shows the engine a world in which the defence has nothing to go by.

use core::fmt;

use serde::Deserialize;

/// Something that keeps a fault or an attack from doing harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Defence {
    /// A new address with every identifier.
    AddressRotation,
    /// The source's cursor moves with the results of its files, not with their download.
    AtomicCursor,
    /// What was heard under a jumped clock waits for a trusted time.
    ClockWatch,
    /// A configuration that can notify nobody is refused.
    ConfigurationCheck,
    /// The encounter log outlives the process.
    DurableLog,
    /// A file that cannot be used or fetched stops no other.
    FileIsolation,
    /// Caps on what is kept of a scan.
    FloodCaps,
    /// A scan that brought no result is not reported as an empty one.
    HonestScans,
    /// The host says what it knows of Bluetooth, permissions, location and notifications.
    HostFacts,
    /// A published key ends with its publication.
    KeyClosing,
    /// A day counts as announced when the user was told, not before.
    NoticeConfirmation,
    /// Nothing heard after a key became available counts.
    PublicationTime,
    /// Nothing older than 14 days counts.
    Retention,
    /// A contact must be near and long.
    ScoreThreshold,
    /// Only files of trusted keys are believed.
    Signatures,
    /// Sightings up to two hours away from their interval count.
    Tolerance,
    /// Powers that no phone radiates are not believed.
    TransmitPowerBounds,
    /// The host passes trusted times in.
    TrustedTime,
}

impl Defence {
    /// Every defence, by name.
    pub const ALL: [Self; 18] = [
        Self::AddressRotation,
        Self::AtomicCursor,
        Self::ClockWatch,
        Self::ConfigurationCheck,
        Self::DurableLog,
        Self::FileIsolation,
        Self::FloodCaps,
        Self::HonestScans,
        Self::HostFacts,
        Self::KeyClosing,
        Self::NoticeConfirmation,
        Self::PublicationTime,
        Self::Retention,
        Self::ScoreThreshold,
        Self::Signatures,
        Self::Tolerance,
        Self::TransmitPowerBounds,
        Self::TrustedTime,
    ];

    /// The name in scenario files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressRotation => "address_rotation",
            Self::AtomicCursor => "atomic_cursor",
            Self::ClockWatch => "clock_watch",
            Self::ConfigurationCheck => "configuration_check",
            Self::DurableLog => "durable_log",
            Self::FileIsolation => "file_isolation",
            Self::FloodCaps => "flood_caps",
            Self::HonestScans => "honest_scans",
            Self::HostFacts => "host_facts",
            Self::KeyClosing => "key_closing",
            Self::NoticeConfirmation => "notice_confirmation",
            Self::PublicationTime => "publication_time",
            Self::Retention => "retention",
            Self::ScoreThreshold => "score_threshold",
            Self::Signatures => "signatures",
            Self::Tolerance => "tolerance",
            Self::TransmitPowerBounds => "transmit_power_bounds",
            Self::TrustedTime => "trusted_time",
        }
    }

    /// The defence of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|defence| defence.name() == name)
    }
}

impl fmt::Display for Defence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
