//! From a positive result to a notice: number, entry, key file, download, each with its hours.

use super::draw::{Purpose, Seed};
use super::scenario::{App, Testing};

/// Keys that somebody publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upload {
    pub(crate) person: u32,
    /// Hours since the beginning of the simulation.
    hour: u32,
    pub(crate) first_key_day: u16,
}

/// A phone that finds a contact of `contact_day` in a key file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) person: u32,
    pub(crate) contact_day: u16,
    hour: u32,
}

/// Results come at noon.
const NOON: u32 = 12;
/// Bytes of a signed key file without keys, and of each key in it: 100 and 10,000 keys of
/// `chikaku keys generate` on fourteen days. Keys are random and do not compress.
const FILE_BYTES: u64 = 492;
const KEY_BYTES: u64 = 31;

impl Upload {
    /// The upload of somebody with the app whose result came on `day`; `None` if no number is
    /// issued or entered.
    pub(crate) fn of(
        app: &App,
        seed: Seed,
        person: u32,
        day: u16,
        onset: Option<u16>,
        testing: &Testing,
    ) -> Option<Self> {
        let issued = seed.always(Purpose::NumberIssued).happens(person, app.number_issued);
        let entered = seed.always(Purpose::NumberEntered).happens(person, app.report);
        if !(issued && entered) {
            return None;
        }
        let hour = u32::from(day) * 24 + NOON;
        let hour = hour
            .saturating_add(app.result_to_number_hours)
            .saturating_add(app.number_to_entry_hours);
        let test = day.saturating_sub(testing.test_to_result_days);
        let counted_from = onset.unwrap_or(test).saturating_sub(app.days_before_onset);
        let oldest = day_of(hour).saturating_sub(app.longest_days);
        Some(Self { person, hour, first_key_day: counted_from.max(oldest) })
    }

    pub(crate) fn day(&self) -> u16 {
        day_of(self.hour)
    }

    /// One key for each day.
    pub(crate) fn keys(&self) -> u64 {
        u64::from(self.day().saturating_sub(self.first_key_day)) + 1
    }
}

impl Notice {
    /// What the phone of `person` finds when it has fetched the file with `upload`.
    pub(crate) fn fetched(
        app: &App,
        seed: Seed,
        person: u32,
        contact_day: u16,
        upload: &Upload,
    ) -> Self {
        let exported = next(upload.hour, app.export_every_hours, 0);
        let bits = seed.always(Purpose::FetchPhase).bits(person, 0) >> 32;
        let phase = (bits * u64::from(app.fetch_every_hours)) >> 32;
        let phase = u32::try_from(phase).unwrap_or(0);
        let hour = next(exported, app.fetch_every_hours, phase);
        Self { person, contact_day, hour }
    }

    pub(crate) fn day(&self) -> u16 {
        day_of(self.hour)
    }

    /// The evening of this day on they stay at home.
    pub(crate) fn stays_from(&self, app: &App) -> u16 {
        day_of(self.hour.saturating_add(app.notice_to_isolation_hours))
    }
}

/// The first hour from `hour` on that lies `phase` after a multiple of `period`.
fn next(hour: u32, period: u32, phase: u32) -> u32 {
    if period == 0 {
        return hour;
    }
    let beyond = (hour % period + period - phase % period) % period;
    if beyond == 0 { hour } else { hour.saturating_add(period - beyond) }
}

fn day_of(hour: u32) -> u16 {
    u16::try_from(hour / 24).unwrap_or(u16::MAX)
}

/// What one phone downloads on a day with `keys` new keys.
pub(crate) fn key_file_bytes(app: &App, keys: u64) -> u64 {
    let files = 24_u32.checked_div(app.export_every_hours).unwrap_or(1).max(1);
    u64::from(files) * FILE_BYTES + keys * KEY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_hour_of_a_rhythm() {
        assert_eq!(next(10, 0, 0), 10);
        assert_eq!(next(10, 4, 0), 12);
        assert_eq!(next(12, 4, 0), 12);
        assert_eq!(next(12, 4, 3), 15);
        assert_eq!(next(0, 24, 5), 5);
    }
}
