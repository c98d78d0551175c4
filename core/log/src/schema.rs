//! The version of everything on disk.
//!
//! A log of any released schema opens. What changes between two schemas is a total function from
//! the older records to the newer ones, applied while reading; the next time the log writes, it
//! writes its own schema. Every released schema keeps a golden store in `tests/golden`, for ever.
//!
//! | schema | released | changes |
//! |---|---|---|
//! | 1 | 0.1.0 | the first |

/// The schema that is written.
pub(crate) const SCHEMA: u16 = 1;

/// A schema that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Newer(u16),
    NeverReleased(u16),
}

/// Whether a log of `schema` opens.
pub(crate) const fn readable(schema: u16) -> Result<(), Unreadable> {
    match schema {
        0 => Err(Unreadable::NeverReleased(schema)),
        1..=SCHEMA => Ok(()),
        _ => Err(Unreadable::Newer(schema)),
    }
}
