//! What matching costs: beside other designs on the same libraries, and beside what the
//! instructions of the machine at hand can do at best.
#![forbid(unsafe_code)]

pub mod measured;
pub mod peers;
pub mod row;
pub mod world;

pub use row::Row;
