//! The matcher that Apple published: a Bloom filter of 1,638,400 bytes with three hashes; what
//! passes goes into a table, which SQLite joins with the table of advertisements.
//! Source: exposure notification reference of 2020, `ENAdvertisementDatabase` (design only; this
//! is not its code).

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::sighting::Sighting;
use rusqlite::{Connection, params};

use super::{Peer, TOLERANCE, identifiers};

const FILTER_BYTES: usize = 1_638_400;
const SALTS: [u64; 3] = [0x1d87_2b41_9c3e_5fa7, 0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b];

/// The index: a filter and a database in memory.
#[derive(Debug)]
pub struct Apple {
    filter: Vec<u8>,
    database: Connection,
}

#[expect(clippy::cast_possible_truncation, reason = "halves of an identifier; places below 2^32")]
fn bits(identifier: &[u8; 16]) -> [usize; 3] {
    let identifier = u128::from_le_bytes(*identifier);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves of an identifier; places below 2^32"
    )]
    let folded = (identifier >> 64) as u64 ^ identifier as u64;
    SALTS.map(|salt| ((folded ^ salt) % (FILTER_BYTES as u64 * 8)) as usize)
}

impl Apple {
    /// Fills filter and database.
    ///
    /// # Errors
    /// Those of SQLite, in memory: none are expected.
    pub fn new(sightings: &[Sighting]) -> rusqlite::Result<Self> {
        let mut database = Connection::open_in_memory()?;
        database.execute_batch(
            "CREATE TABLE heard (identifier BLOB NOT NULL, interval INTEGER NOT NULL);
             CREATE TEMP TABLE wanted (key INTEGER, identifier BLOB, interval INTEGER);",
        )?;
        let mut filter = vec![0; FILTER_BYTES];
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO heard VALUES (?, ?)")?;
            for sighting in sightings {
                let identifier = sighting.advertisement.identifier.as_bytes();
                insert.execute(params![identifier, sighting.heard_at.interval().get()])?;
                for bit in bits(identifier) {
                    filter[bit / 8] |= 1 << (bit % 8);
                }
            }
        }
        transaction.commit()?;
        database.execute_batch("CREATE INDEX heard_by_identifier ON heard (identifier);")?;
        Ok(Self { filter, database })
    }

    fn join(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> rusqlite::Result<usize> {
        let transaction = self.database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO wanted VALUES (?, ?, ?)")?;
            for (number, key) in (0_i64..).zip(keys) {
                for (identifier, interval) in
                    identifiers(key).iter().zip(key.rolling_start().get()..)
                {
                    if bits(identifier).iter().all(|bit| self.filter[bit / 8] >> (bit % 8) & 1 == 1)
                    {
                        insert.execute(params![number, identifier, interval])?;
                    }
                }
            }
        }
        let matches: i64 = transaction.query_row(
            "SELECT COUNT(DISTINCT key) FROM wanted JOIN heard
             ON heard.identifier = wanted.identifier
             AND heard.interval BETWEEN wanted.interval - ?1 AND wanted.interval + ?1",
            params![TOLERANCE],
            |row| row.get(0),
        )?;
        transaction.execute("DELETE FROM wanted", [])?;
        transaction.commit()?;
        Ok(usize::try_from(matches).unwrap_or(usize::MAX))
    }
}

impl Peer for Apple {
    fn matches(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> usize {
        // In memory and of our own statements: an error is a fault of this program.
        self.join(keys).unwrap_or(usize::MAX)
    }
}
