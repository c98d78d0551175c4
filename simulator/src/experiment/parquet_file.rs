//! Tables as Parquet files: one row group, plain columns, no compression.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::parser::parse_message_type;
use thiserror::Error;

use super::table::{Column, Table, Values};

/// Why a table cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The library's own.
    #[error("no Parquet file, or a broken one")]
    Parquet(#[from] ParquetError),
    /// A column of a kind that no experiment writes.
    #[error("column `{0}` holds neither integers, nor numbers, nor words")]
    Kind(String),
}

/// The bytes of a Parquet file with this table.
///
/// # Errors
/// [`TableError`], for a name that is none.
pub fn to_parquet(table: &Table) -> Result<Vec<u8>, TableError> {
    let fields: String = table
        .columns
        .iter()
        .map(|column| match column.values {
            Values::Integers(_) => format!("REQUIRED INT64 {};\n", column.name),
            Values::Numbers(_) => format!("OPTIONAL DOUBLE {};\n", column.name),
            Values::Words(_) => format!("REQUIRED BYTE_ARRAY {} (UTF8);\n", column.name),
        })
        .collect();
    let schema = parse_message_type(&format!("message {} {{\n{fields}}}", table.name))?;
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default())?;
    let mut group = writer.next_row_group()?;
    for column in &table.columns {
        let Some(mut written) = group.next_column()? else { break };
        match &column.values {
            Values::Integers(values) => {
                written.typed::<Int64Type>().write_batch(values, None, None)?;
            }
            Values::Numbers(values) => {
                let present: Vec<f64> = values.iter().copied().flatten().collect();
                let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
                written.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
            }
            Values::Words(values) => {
                let words: Vec<ByteArray> =
                    values.iter().map(|word| ByteArray::from(word.clone().into_bytes())).collect();
                written.typed::<ByteArrayType>().write_batch(&words, None, None)?;
            }
        }
        written.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

/// The table in a Parquet file; `name` is that of the file.
///
/// # Errors
/// [`TableError`].
pub fn from_parquet(name: &str, bytes: Vec<u8>) -> Result<Table, TableError> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns = Vec::new();
    for column in schema.columns() {
        use parquet::basic::Type;
        let values = match column.physical_type() {
            Type::INT64 => Values::Integers(Vec::new()),
            Type::DOUBLE => Values::Numbers(Vec::new()),
            Type::BYTE_ARRAY => Values::Words(Vec::new()),
            _ => return Err(TableError::Kind(column.name().to_owned())),
        };
        columns.push(Column { name: column.name().to_owned(), values });
    }
    for row in reader.get_row_iter(None)? {
        let row = row?;
        for (column, (_, field)) in columns.iter_mut().zip(row.get_column_iter()) {
            match (&mut column.values, field) {
                (Values::Integers(values), Field::Long(value)) => values.push(*value),
                (Values::Numbers(values), Field::Double(value)) => values.push(Some(*value)),
                (Values::Numbers(values), Field::Null) => values.push(None),
                (Values::Words(values), Field::Str(value)) => values.push(value.clone()),
                _ => return Err(TableError::Kind(column.name.clone())),
            }
        }
    }
    Ok(Table { name: name.to_owned(), columns })
}

#[cfg(test)]
mod tests {
    use super::super::table::Value;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let rows = [
            [Value::from("near"), Value::from(3_i64), Value::from(0.5)],
            [Value::from("far – 遠い"), Value::from(-1_i64), Value::from(None)],
        ];
        let table = Table::of_rows("some_table", ["what", "count", "share"], rows);
        let bytes = to_parquet(&table).unwrap();
        assert_eq!(bytes.get(..4), Some(&b"PAR1"[..]));
        assert_eq!(from_parquet("some_table", bytes).unwrap(), table);
        assert!(from_parquet("x", b"PAR1 and nothing behind it".to_vec()).is_err());
    }
}
