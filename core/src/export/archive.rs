//! The zip archive: exactly `export.bin` and `export.sig`, each once.
//!
//! Only the directory is read here. Nothing is inflated, and no declared size is believed.

use rawzip::{CompressionMethod, ErrorKind, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::content::{Entry, Expected};
use super::error::{ExportError, excerpt};
use super::limits::Limits;

/// The signed file.
pub(super) const EXPORT_BIN: &str = "export.bin";
/// Its signatures.
pub(super) const EXPORT_SIG: &str = "export.sig";

/// The two files of a key export. A missing signature file is an error only for those who verify.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    pub(super) bin: Entry<'a>,
    pub(super) sig: Option<Entry<'a>>,
}

/// Finds the two files in a zip archive.
pub(super) fn read<'a>(zip: &'a [u8], limits: &Limits) -> Result<Files<'a>, ExportError> {
    let archive = ZipArchive::from_slice(zip).map_err(|error| located(zip, &error))?;
    let too_many = ExportError::TooManyEntries { limit: limits.zip_entries };
    if archive.entries_hint() > limits.zip_entries {
        return Err(too_many);
    }
    let (mut bin, mut sig, mut count) = (None, None, 0_u64);
    for record in archive.entries() {
        let record = record.map_err(|error| corrupt(&error))?;
        count = count.saturating_add(1);
        if count > limits.zip_entries {
            return Err(too_many);
        }
        let name = record.file_path().as_bytes();
        let (name, place) = match name {
            b"export.bin" => (EXPORT_BIN, &mut bin),
            b"export.sig" => (EXPORT_SIG, &mut sig),
            _ => return Err(stranger(name)),
        };
        if place.is_some() {
            return Err(ExportError::DuplicateEntry { entry: name });
        }
        *place = Some(entry(zip, &archive, &record, name)?);
    }
    if count != archive.entries_hint() {
        return Err(ExportError::CorruptZip { what: "its directory has not its declared length" });
    }
    let bin = bin.ok_or(ExportError::MissingEntry { entry: EXPORT_BIN })?;
    Ok(Files { bin, sig })
}

/// Where the bytes of an entry lie. The directory counts; the copy of it that stands in front of
/// the entry has to agree, or two readers could see two different archives.
fn entry<'a>(
    zip: &'a [u8],
    archive: &ZipSliceArchive<&'a [u8]>,
    record: &ZipFileHeaderRecord<'_>,
    name: &'static str,
) -> Result<Entry<'a>, ExportError> {
    let found = archive.get_entry(record.wayfinder()).map_err(|error| corrupt(&error))?;
    let local = found.local_header();
    if local.file_path().as_bytes() != name.as_bytes()
        || local.compression_method() != record.compression_method()
    {
        return Err(ExportError::CorruptZip { what: "directory and entry disagree" });
    }
    let encrypted = [record.flags(), local.flags()]
        .iter()
        .any(|flags| flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked());
    if encrypted {
        return Err(ExportError::EncryptedEntry { entry: name });
    }
    let deflated = match record.compression_method() {
        CompressionMethod::STORE => false,
        CompressionMethod::DEFLATE => true,
        other => {
            let method = other.as_u16();
            return Err(ExportError::UnsupportedCompression { entry: name, method });
        }
    };
    let (start, end) = found.compressed_data_range();
    let data = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .and_then(|(start, end)| zip.get(start..end))
        .ok_or(ExportError::CorruptZip { what: "an entry lies outside the archive" })?;
    let size = record.uncompressed_size_hint();
    Ok(Entry { name, data, deflated, expected: Some(Expected { crc: record.crc32(), size }) })
}

/// An entry that does not belong here; one that is made to harm has its own error.
fn stranger(name: &[u8]) -> ExportError {
    let text = String::from_utf8_lossy(name);
    let climbs = text.split(['/', '\\']).any(|part| part == "..");
    let absolute = text.starts_with(['/', '\\']) || text.as_bytes().get(1) == Some(&b':');
    let name = excerpt(&text);
    if climbs || absolute || text.contains('\0') {
        ExportError::UnsafeEntryName { name }
    } else {
        ExportError::UnexpectedEntry { name }
    }
}

/// Why no directory was found.
fn located(zip: &[u8], error: &rawzip::Error) -> ExportError {
    match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory | ErrorKind::Eof => {
            if zip.starts_with(b"PK\x03\x04") {
                ExportError::TruncatedZip
            } else {
                ExportError::NotAZip
            }
        }
        _ => corrupt(error),
    }
}

fn corrupt(error: &rawzip::Error) -> ExportError {
    let what = match error.kind() {
        ErrorKind::Eof => "something in it reaches past its end",
        ErrorKind::InvalidSignature { .. } => "a header is not where it should be",
        _ => "its directory cannot be read",
    };
    ExportError::CorruptZip { what }
}
