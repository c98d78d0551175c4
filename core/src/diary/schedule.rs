//! Which entries are due, and which were missed.
//!
//! A slot begins at a local time of day and lasts until the next one begins, the last of the period
//! until its end. An entry made meanwhile answers it. Slots that had begun before the diary did are
//! none.

use super::{Diary, DiaryRules};
use crate::local_time::LocalDate;
use crate::time::Timestamp;

/// One time at which the patient is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// When it begins; the time of a reminder.
    pub begins: Timestamp,
    /// When it is missed unless there is an entry.
    pub ends: Timestamp,
}

/// How a diary stands at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// The running slot, if it has no entry yet.
    pub due: Option<Slot>,
    /// Every slot that is over and has no entry, by time.
    pub missed: Vec<Slot>,
    /// How many of them were the latest in a row; an entry sets it to 0.
    pub missed_in_a_row: u32,
    /// When the next slot begins; `None` if the period has none left.
    pub next: Option<Timestamp>,
    /// The period is over.
    pub is_over: bool,
}

impl Diary {
    /// What is due, what was missed and what comes next at `now`.
    #[must_use]
    pub fn schedule(&self, rules: &DiaryRules, now: Timestamp) -> Schedule {
        let slots = self.slots(rules);
        let answered = |slot: &Slot| {
            let first_after = self.entries().partition_point(|entry| entry.at < slot.begins);
            self.entries().get(first_after).is_some_and(|entry| entry.at < slot.ends)
        };
        let is_over = now >= self.ends_at();
        let past: Vec<_> = slots.iter().filter(|slot| slot.ends <= now).collect();
        let missed: Vec<Slot> =
            past.iter().filter(|slot| !answered(slot)).map(|slot| **slot).collect();
        // An entry that is made in the running slot ends the silence as well.
        let running = slots.iter().find(|slot| slot.begins <= now && now < slot.ends);
        let spoke = running.is_some_and(answered);
        let silent = past.iter().rev().take_while(|slot| !spoke && !answered(slot)).count();
        Schedule {
            due: running.filter(|slot| !answered(slot)).copied(),
            missed,
            missed_in_a_row: u32::try_from(silent).unwrap_or(u32::MAX),
            next: slots.iter().map(|slot| slot.begins).find(|begins| *begins > now),
            is_over,
        }
    }

    /// Every slot of the period, by time.
    fn slots(&self, rules: &DiaryRules) -> Vec<Slot> {
        let first = LocalDate::at(self.begun_at(), self.utc_offset());
        let last = self.last_day().days_since_1970();
        let days = last.saturating_sub(first.days_since_1970());
        let dates = (0..=days).map(|day| first.saturating_add(day));
        let begins: Vec<Timestamp> = dates
            .flat_map(|date| {
                rules.slots().filter_map(move |minute| date.instant(minute, self.utc_offset()))
            })
            .filter(|begins| *begins >= self.begun_at() && *begins < self.ends_at())
            .collect();
        let ends = begins.iter().skip(1).copied().chain([self.ends_at()]);
        begins.iter().copied().zip(ends).map(|(begins, ends)| Slot { begins, ends }).collect()
    }
}
