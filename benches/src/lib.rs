//! What matching costs: beside other designs on the same libraries, and beside what the
//! instructions of the machine at hand can do at best.
//!
//! All times are CPU time of the thread, so that a busy neighbour changes them little; whatever is
//! compared runs in turns within one run, and medians are compared. Figures of different runs are
//! not.

#![forbid(unsafe_code)]
#![expect(clippy::cast_precision_loss, reason = "counts become figures for people")]

pub mod bound;
pub mod gate;
pub mod matching;
pub mod measured;
pub mod peers;
pub mod pipeline;
pub mod row;
pub mod world;

pub use row::Row;
