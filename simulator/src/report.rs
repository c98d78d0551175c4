//! One HTML file for people: plots and tables of a folder of results. It loads nothing from
//! anywhere, follows the reader's light or dark, and is drawn for the width of a phone.

mod page;
mod plot;
mod sections;

pub use page::page;
pub use sections::{Section, sections};
