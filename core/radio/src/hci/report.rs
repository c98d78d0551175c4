//! LE Advertising Report (0x3E/02) and LE Extended Advertising Report (0x3E/0D).

use core::iter::FusedIterator;

use chikaku_core::signal::{RssiDbm, RssiError};

use super::{AdvertisingData, DeviceAddress, HciError};
use crate::field_reader::FieldReader;

const LE_META_EVENT: u8 = 0x3e;
const LE_ADVERTISING_REPORT: u8 = 0x02;
const LE_EXTENDED_ADVERTISING_REPORT: u8 = 0x0d;

/// Whether a report holds all of an advertisement's data. Legacy reports always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataStatus {
    /// All of it.
    Complete,
    /// The beginning; the rest follows in later reports.
    MoreToCome,
    /// The beginning; the controller lost the rest.
    Truncated,
}

/// One advertisement, or one answer to a scan request, as the controller heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingReport<'a> {
    /// Who sent it.
    pub address: DeviceAddress,
    /// Whether the advertiser answers scan requests.
    pub scannable: bool,
    /// Whether this is such an answer and not an advertisement.
    pub scan_response: bool,
    /// Signal strength, or why there is none.
    pub rssi: Result<RssiDbm, RssiError>,
    /// Whether `data` is whole.
    pub status: DataStatus,
    /// Advertising structures.
    pub data: AdvertisingData<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    Legacy,
    Extended,
}

/// The reports of one event. A report that is cut off is the last item, as an error; those before
/// it are delivered.
#[derive(Clone)]
pub struct AdvertisingReports<'a> {
    layout: Layout,
    fields: FieldReader<'a>,
    remaining: u8,
}

impl core::fmt::Debug for AdvertisingReports<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AdvertisingReports")
            .field("layout", &self.layout)
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

impl<'a> AdvertisingReports<'a> {
    /// The advertising reports of an event packet (code, length, parameters); `None` if it is
    /// some other event.
    ///
    /// # Errors
    /// [`HciError::Truncated`] if the packet ends before the number of reports.
    pub fn from_event(packet: &'a [u8]) -> Result<Option<Self>, HciError> {
        let mut fields = FieldReader::new(packet);
        if fields.byte()? != LE_META_EVENT {
            return Ok(None);
        }
        let length = usize::from(fields.byte()?);
        // A shortened event still holds whole reports, so the length is a limit and no demand.
        let parameters = fields.remaining();
        let mut fields = FieldReader::new(parameters.get(..length).unwrap_or(parameters));
        let layout = match fields.byte()? {
            LE_ADVERTISING_REPORT => Layout::Legacy,
            LE_EXTENDED_ADVERTISING_REPORT => Layout::Extended,
            _ => return Ok(None),
        };
        let remaining = fields.byte()?;
        Ok(Some(Self { layout, fields, remaining }))
    }

    /// The next report in the layout controllers use: all fields of a report, then the next one.
    fn legacy(&mut self) -> Result<AdvertisingReport<'a>, HciError> {
        let event_type = self.fields.byte()?;
        let address = self.address()?;
        let length = self.fields.byte()?;
        let data = AdvertisingData(self.fields.take(usize::from(length))?);
        let rssi = self.rssi()?;
        let (scannable, scan_response) = match event_type {
            // ADV_IND, ADV_SCAN_IND
            0 | 2 => (true, false),
            // ADV_DIRECT_IND, ADV_NONCONN_IND
            1 | 3 => (false, false),
            // SCAN_RSP
            4 => (false, true),
            _ => return Err(HciError::UnknownReportType { event_type }),
        };
        let status = DataStatus::Complete;
        Ok(AdvertisingReport { address, scannable, scan_response, rssi, status, data })
    }

    fn extended(&mut self) -> Result<AdvertisingReport<'a>, HciError> {
        let event_type = self.fields.u16()?;
        let address = self.address()?;
        // Primary and secondary PHY, advertising set, transmit power.
        self.fields.skip(4)?;
        let rssi = self.rssi()?;
        // Interval of periodic advertising, whom the advertisement is directed at.
        self.fields.skip(9)?;
        let length = self.fields.byte()?;
        let data = AdvertisingData(self.fields.take(usize::from(length))?);
        let scan_response = event_type & 0b1000 != 0;
        let status = match (event_type >> 5) & 0b11 {
            0 => DataStatus::Complete,
            1 => DataStatus::MoreToCome,
            _ => DataStatus::Truncated,
        };
        // The answer to a scan request repeats the bit of the advertisement it belongs to.
        let scannable = event_type & 0b10 != 0 && !scan_response;
        Ok(AdvertisingReport { address, scannable, scan_response, rssi, status, data })
    }

    fn address(&mut self) -> Result<DeviceAddress, HciError> {
        Ok(DeviceAddress::new(self.fields.byte()?, self.fields.array()?))
    }

    fn rssi(&mut self) -> Result<Result<RssiDbm, RssiError>, HciError> {
        Ok(RssiDbm::new(i16::from(i8::from_le_bytes(self.fields.array()?))))
    }
}

impl<'a> Iterator for AdvertisingReports<'a> {
    type Item = Result<AdvertisingReport<'a>, HciError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        let report = match self.layout {
            Layout::Legacy => self.legacy(),
            Layout::Extended => self.extended(),
        };
        if let Err(HciError::Truncated { .. }) = report {
            self.remaining = 0;
        }
        Some(report)
    }
}

impl FusedIterator for AdvertisingReports<'_> {}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    fn reports(packet: &[u8]) -> Vec<Result<AdvertisingReport<'_>, HciError>> {
        AdvertisingReports::from_event(packet).unwrap().unwrap().collect()
    }

    #[test]
    fn two_legacy_reports_in_one_event() {
        let packet =
            hex!("3e 1b 02 02" "02 01 a1a2a3a4a5a6 02 0102 c4" "04 01 a1a2a3a4a5a6 01 03 7f");
        let found: Vec<_> = reports(&packet).into_iter().map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].address, found[1].address);
        assert!(found[0].scannable && !found[0].scan_response);
        assert!(!found[1].scannable && found[1].scan_response);
        assert_eq!((found[0].data.0, found[1].data.0), (&[1, 2][..], &[3][..]));
        assert_eq!(found[0].rssi, RssiDbm::new(-60));
        assert_eq!(found[1].rssi, Err(RssiError::Unavailable));
    }

    #[test]
    fn extended_reports_keep_their_flags_apart() {
        let report = |event_type: u8| {
            let body = hex!("01 a1a2a3a4a5a6 01 00 ff 7f c4 0000 00 000000000000 02 0102");
            let mut packet = vec![0x3e, 30, 0x0d, 1, event_type, 0];
            packet.extend(body);
            packet
        };
        // Bits 0..=4: connectable, scannable, directed, scan response, legacy.
        for (event_type, scannable, scan_response, status) in [
            (0b1_0010, true, false, DataStatus::Complete),
            (0b1_0000, false, false, DataStatus::Complete),
            (0b1_1010, false, true, DataStatus::Complete),
            (0b010_0000, false, false, DataStatus::MoreToCome),
            (0b100_0000, false, false, DataStatus::Truncated),
        ] {
            let packet = report(event_type);
            let found = reports(&packet)[0].unwrap();
            assert_eq!((found.scannable, found.scan_response), (scannable, scan_response));
            assert_eq!((found.status, found.data.0), (status, &[1, 2][..]));
            assert_eq!(found.rssi, RssiDbm::new(-60));
        }
    }

    #[test]
    fn a_cut_event_keeps_the_reports_before_the_cut() {
        let whole = hex!("3e 16 02 02" "03 01 a1a2a3a4a5a6 00 c4" "03 01 b1b2b3b4b5b6 00 c4");
        for cut in 14..whole.len() {
            let found = reports(&whole[..cut]);
            assert_eq!(found.len(), 2);
            assert!(found[0].is_ok());
            assert_eq!(found[1], Err(HciError::Truncated { length: cut - 2 }));
        }
        // Bytes behind the declared length belong to nothing.
        let mut short = whole;
        short[1] = 0x0c;
        assert_eq!(reports(&short)[1], Err(HciError::Truncated { length: 12 }));
    }

    #[test]
    fn an_unknown_type_costs_one_report() {
        let packet = hex!("3e 16 02 02" "09 01 a1a2a3a4a5a6 00 c4" "03 01 b1b2b3b4b5b6 00 c4");
        let found = reports(&packet);
        assert_eq!(found[0], Err(HciError::UnknownReportType { event_type: 9 }));
        assert!(found[1].is_ok());
    }

    #[test]
    fn other_events_are_none() {
        assert_eq!(AdvertisingReports::from_event(&hex!("0e 01 00")).unwrap().map(drop), None);
        assert_eq!(AdvertisingReports::from_event(&hex!("3e 01 01")).unwrap().map(drop), None);
        assert_eq!(
            AdvertisingReports::from_event(&hex!("3e 00")).map(drop),
            Err(HciError::Truncated { length: 0 })
        );
    }

    #[test]
    fn debug_shows_neither_address_nor_data() {
        let packet = hex!("3e 0f 02 01" "02 01 5a5a5a5a5a5a 03 5a5a5a c4");
        let shown = format!("{:?}", reports(&packet)).to_lowercase();
        assert!(!shown.contains("5a") && !shown.contains("90"), "{shown}");
    }
}
