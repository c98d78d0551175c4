//! Tables for people.

use comfy_table::{LineStyle, Table, TableStyle};

/// An empty table: a line under the header, none between the rows.
pub(crate) fn with_header<const N: usize>(header: [&str; N]) -> Table {
    let style = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    let mut table = Table::new();
    table.load_style(style).set_header(header);
    table
}
