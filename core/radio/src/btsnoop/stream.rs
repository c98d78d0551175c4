//! A capture that is still being written: records come out as their last byte comes in.

use core::fmt;

use super::{BtsnoopError, DataLink, FILE_HEADER_LENGTH, Record, data_link_of, record_at};

/// Cuts a stream of bytes, in pieces of any size, into the records of one capture.
///
/// Offsets in records and errors count from the beginning of the stream. After an error nothing
/// more comes: where the next record begins is not known.
#[derive(Clone, Default)]
pub struct RecordStream {
    /// What has come in and not been handed out.
    pending: Vec<u8>,
    /// Bytes handed out before `pending`.
    consumed: usize,
    /// The envelope, once the header is complete.
    data_link: Option<DataLink>,
    broken: bool,
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream")
            .field("pending", &self.pending.len())
            .field("consumed", &self.consumed)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl RecordStream {
    /// A stream of which nothing has come.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and hands every record that is complete to `each`, with its bytes as
    /// they stand in the capture. The file's header is handed to nobody.
    ///
    /// # Errors
    /// [`BtsnoopError`] if the stream is no capture, or no longer one.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&Record<'_>, &[u8]),
    ) -> Result<(), BtsnoopError> {
        if self.broken {
            return Ok(());
        }
        self.pending.extend_from_slice(bytes);
        let outcome = self.hand_out(&mut each);
        self.broken = outcome.is_err();
        outcome
    }

    fn hand_out(&mut self, each: &mut impl FnMut(&Record<'_>, &[u8])) -> Result<(), BtsnoopError> {
        let mut done = 0;
        let data_link = match self.data_link {
            Some(data_link) => data_link,
            None if self.pending.len() < FILE_HEADER_LENGTH => return Ok(()),
            None => {
                done = FILE_HEADER_LENGTH;
                *self.data_link.insert(data_link_of(&self.pending)?)
            }
        };
        let outcome = loop {
            match record_at(&self.pending, data_link, done) {
                Ok((record, next)) => {
                    let whole = self.pending.get(done..next).unwrap_or_default();
                    let offset = self.consumed.saturating_add(record.offset);
                    each(&Record { offset, ..record }, whole);
                    done = next;
                }
                Err(BtsnoopError::RecordTruncated { .. }) => break Ok(()),
                Err(error) => break Err(error.moved_by(self.consumed)),
            }
        };
        self.pending.drain(..done.min(self.pending.len()));
        self.consumed = self.consumed.saturating_add(done);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::btsnoop::Records;
    use crate::capture_writer::CaptureWriter;

    /// A capture of `count` events, each longer than the one before.
    fn capture(count: u8) -> Vec<u8> {
        let mut writer = CaptureWriter::new(DataLink::LinuxMonitor);
        for number in 0..count {
            writer.event(i64::from(number), &vec![number; usize::from(number)]);
        }
        writer.bytes().to_vec()
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_records_of_the_whole(
            count in 0..20_u8,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        ) {
            let mut file = capture(count);
            for (at, value) in flips {
                let at = at.index(file.len());
                file[at] = value;
            }
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(file.len())).collect();
            cuts.extend([0, file.len()]);
            cuts.sort_unstable();

            let mut stream = RecordStream::new();
            let (mut found, mut copied, mut failed) = (Vec::new(), file[..16].to_vec(), None);
            for piece in cuts.windows(2) {
                let outcome = stream.receive(&file[piece[0]..piece[1]], |record, whole| {
                    found.push((record.offset, record.packet.to_vec()));
                    copied.extend_from_slice(whole);
                });
                if let Err(error) = outcome {
                    failed.get_or_insert(error);
                }
            }
            let (mut expected, mut error) = (Vec::new(), None);
            match Records::new(&file) {
                Err(refused) => error = Some(refused),
                Ok(records) => for record in records {
                    match record {
                        Ok(record) => expected.push((record.offset, record.packet.to_vec())),
                        // The rest may still come.
                        Err(BtsnoopError::RecordTruncated { .. }) => {}
                        Err(refused) => error = Some(refused),
                    }
                }
            }
            prop_assert_eq!(failed, error);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(&copied[..], &file[..copied.len()]);
        }
    }
}
