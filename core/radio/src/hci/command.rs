//! Commands from host to controller, as far as a replay needs them.

use super::{AdvertisingData, HciError};
use crate::field_reader::FieldReader;

const RESET: u16 = 0x0c03;
const LE_SET_ADVERTISING_DATA: u16 = 0x2008;
const LE_SET_ADVERTISING_ENABLE: u16 = 0x200a;
const LE_SET_SCAN_ENABLE: u16 = 0x200c;
const LE_SET_EXTENDED_ADVERTISING_DATA: u16 = 0x2037;
const LE_SET_EXTENDED_ADVERTISING_ENABLE: u16 = 0x2039;
const LE_REMOVE_ADVERTISING_SET: u16 = 0x203c;
const LE_CLEAR_ADVERTISING_SETS: u16 = 0x203d;
const LE_SET_EXTENDED_SCAN_ENABLE: u16 = 0x2042;
/// Android's multi-advertisement command, for controllers without extended advertising.
const ANDROID_MULTI_ADVERTISING: u16 = 0xfd54;
/// Android's advertising packet content filter.
const ANDROID_CONTENT_FILTER: u16 = 0xfd57;

/// Room for advertising data in a legacy command; the command always carries all of it.
const LEGACY_DATA_LENGTH: usize = 31;
/// Bytes that an extended enable command spends on each set: handle, duration, event count.
const ENABLED_SET_LENGTH: usize = 4;

/// Which generation of scan commands a controller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanCommands {
    /// Bluetooth 4: LE Set Scan Enable, 0x200C.
    Legacy,
    /// Bluetooth 5: LE Set Extended Scan Enable, 0x2042.
    Extended,
}

/// One of the advertisements a controller can send side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AdvertisingSet {
    /// The only one of a Bluetooth 4 controller.
    Legacy,
    /// Instance number of Android's multi-advertisement command.
    Android(u8),
    /// Handle of an extended advertising set.
    Extended(u8),
}

/// The sets that a command speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingSets<'a>(SetSelection<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SetSelection<'a> {
    One(AdvertisingSet),
    AllExtended,
    /// Four bytes for each set, the first of them its handle.
    Extended(&'a [u8]),
}

impl AdvertisingSets<'_> {
    /// Whether `set` is one of them.
    #[must_use]
    pub fn contains(&self, set: AdvertisingSet) -> bool {
        match (self.0, set) {
            (SetSelection::One(one), _) => one == set,
            (SetSelection::AllExtended, AdvertisingSet::Extended(_)) => true,
            (SetSelection::Extended(sets), AdvertisingSet::Extended(handle)) => {
                sets.chunks(ENABLED_SET_LENGTH).any(|set| set.first() == Some(&handle))
            }
            _ => false,
        }
    }
}

/// How advertising data changes what the set already holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataOperation {
    /// The whole data.
    Replace,
    /// The first fragment.
    First,
    /// A fragment between the first and the last.
    Intermediate,
    /// The last fragment.
    Last,
    /// Nothing changes but the advertisement's own identifier.
    Unchanged,
}

/// What a filter command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterAction {
    /// Adds a filter or a condition of one.
    Add,
    /// Deletes it.
    Delete,
    /// Deletes all of the kind.
    Clear,
}

/// Android's content filter: a filter is a number, a selection of features under that number,
/// and conditions for each feature. Deleting the selection ends the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterCommand {
    /// Which features the filter looks at.
    Selection {
        /// What happens to it.
        action: FilterAction,
        /// The filter's number; meaningless for [`FilterAction::Clear`].
        filter: u8,
    },
    /// Service data of a 16-bit UUID the filter lets through.
    ServiceData {
        /// What happens to the condition.
        action: FilterAction,
        /// The filter's number.
        filter: u8,
        /// The UUID; `None` if the pattern is shorter than one.
        service_uuid: Option<u16>,
    },
    /// Everything else: other features, reading, switching on and off.
    Other,
}

/// A command from host to controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// The controller forgets everything.
    Reset,
    /// Scanning begins or ends, for all applications together.
    ScanEnable {
        /// Which command it was.
        commands: ScanCommands,
        /// Whether scanning begins.
        enabled: bool,
    },
    /// What a set advertises.
    AdvertisingData {
        /// The set.
        set: AdvertisingSet,
        /// Whether this is all of it.
        operation: DataOperation,
        /// The data or a part of it.
        data: AdvertisingData<'a>,
    },
    /// Sets begin or cease to advertise.
    AdvertisingEnable {
        /// The sets.
        sets: AdvertisingSets<'a>,
        /// Whether they begin.
        enabled: bool,
    },
    /// Sets cease to exist.
    AdvertisingRemove {
        /// The sets.
        sets: AdvertisingSets<'a>,
    },
    /// Android's content filter.
    Filter(FilterCommand),
    /// Any other command.
    Other {
        /// Its opcode.
        opcode: u16,
    },
}

impl<'a> Command<'a> {
    /// Decodes a command packet: opcode, length, parameters.
    ///
    /// # Errors
    /// [`HciError::Truncated`] if the packet is shorter than it says or than its command needs.
    pub fn decode(packet: &'a [u8]) -> Result<Self, HciError> {
        let mut fields = FieldReader::new(packet);
        let opcode = fields.u16()?;
        let length = fields.byte()?;
        let mut fields = FieldReader::new(fields.take(usize::from(length))?);
        Ok(match opcode {
            RESET => Self::Reset,
            LE_SET_SCAN_ENABLE => {
                Self::ScanEnable { commands: ScanCommands::Legacy, enabled: fields.byte()? != 0 }
            }
            LE_SET_EXTENDED_SCAN_ENABLE => {
                Self::ScanEnable { commands: ScanCommands::Extended, enabled: fields.byte()? != 0 }
            }
            LE_SET_ADVERTISING_DATA => {
                let data = legacy_data(&mut fields)?;
                let set = AdvertisingSet::Legacy;
                Self::AdvertisingData { set, operation: DataOperation::Replace, data }
            }
            LE_SET_EXTENDED_ADVERTISING_DATA => extended_data(&mut fields)?,
            LE_SET_ADVERTISING_ENABLE => {
                let sets = AdvertisingSets(SetSelection::One(AdvertisingSet::Legacy));
                Self::AdvertisingEnable { sets, enabled: fields.byte()? != 0 }
            }
            LE_SET_EXTENDED_ADVERTISING_ENABLE => extended_enable(&mut fields)?,
            LE_REMOVE_ADVERTISING_SET => {
                let set = AdvertisingSet::Extended(fields.byte()?);
                Self::AdvertisingRemove { sets: AdvertisingSets(SetSelection::One(set)) }
            }
            LE_CLEAR_ADVERTISING_SETS => {
                Self::AdvertisingRemove { sets: AdvertisingSets(SetSelection::AllExtended) }
            }
            ANDROID_MULTI_ADVERTISING => multi_advertising(&mut fields, opcode)?,
            ANDROID_CONTENT_FILTER => Self::Filter(content_filter(&mut fields)?),
            _ => Self::Other { opcode },
        })
    }
}

/// A length and 31 bytes, of which that many count.
fn legacy_data<'a>(fields: &mut FieldReader<'a>) -> Result<AdvertisingData<'a>, HciError> {
    let length = usize::from(fields.byte()?);
    let room = fields.take(LEGACY_DATA_LENGTH)?;
    Ok(AdvertisingData(room.get(..length).unwrap_or(room)))
}

fn extended_data<'a>(fields: &mut FieldReader<'a>) -> Result<Command<'a>, HciError> {
    let set = AdvertisingSet::Extended(fields.byte()?);
    let operation = match fields.byte()? {
        0 => DataOperation::Intermediate,
        1 => DataOperation::First,
        2 => DataOperation::Last,
        4 => DataOperation::Unchanged,
        // 3 is the whole data, and the only one that phones were seen to use.
        _ => DataOperation::Replace,
    };
    // Whether the controller may fragment it on the air.
    fields.skip(1)?;
    let length = usize::from(fields.byte()?);
    Ok(Command::AdvertisingData { set, operation, data: AdvertisingData(fields.take(length)?) })
}

/// Switching off zero sets switches off all of them.
fn extended_enable<'a>(fields: &mut FieldReader<'a>) -> Result<Command<'a>, HciError> {
    let enabled = fields.byte()? != 0;
    let count = usize::from(fields.byte()?);
    let selection = match (enabled, count) {
        (false, 0) => SetSelection::AllExtended,
        _ => SetSelection::Extended(fields.take(count.saturating_mul(ENABLED_SET_LENGTH))?),
    };
    Ok(Command::AdvertisingEnable { sets: AdvertisingSets(selection), enabled })
}

fn multi_advertising<'a>(
    fields: &mut FieldReader<'a>,
    opcode: u16,
) -> Result<Command<'a>, HciError> {
    match fields.byte()? {
        2 => {
            let data = legacy_data(fields)?;
            let set = AdvertisingSet::Android(fields.byte()?);
            Ok(Command::AdvertisingData { set, operation: DataOperation::Replace, data })
        }
        5 => {
            let enabled = fields.byte()? != 0;
            let set = AdvertisingSet::Android(fields.byte()?);
            let sets = AdvertisingSets(SetSelection::One(set));
            Ok(Command::AdvertisingEnable { sets, enabled })
        }
        _ => Ok(Command::Other { opcode }),
    }
}

fn content_filter(fields: &mut FieldReader<'_>) -> Result<FilterCommand, HciError> {
    let part = fields.byte()?;
    if !matches!(part, 1 | 7) {
        return Ok(FilterCommand::Other);
    }
    let action = match fields.byte()? {
        0 => FilterAction::Add,
        1 => FilterAction::Delete,
        2 => FilterAction::Clear,
        _ => return Ok(FilterCommand::Other),
    };
    // Who clears everything need not name a filter.
    let filter = match action {
        FilterAction::Clear => fields.byte().unwrap_or_default(),
        FilterAction::Add | FilterAction::Delete => fields.byte()?,
    };
    Ok(if part == 1 {
        FilterCommand::Selection { action, filter }
    } else {
        let service_uuid = fields.u16().ok();
        FilterCommand::ServiceData { action, filter, service_uuid }
    })
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn the_filter_of_the_service_comes_and_goes() {
        let add = hex!("57fd 09 07 00 1d 6ffd00 ffff00");
        let (action, filter) = (FilterAction::Add, 0x1d);
        assert_eq!(
            Command::decode(&add),
            Ok(Command::Filter(FilterCommand::ServiceData {
                action,
                filter,
                service_uuid: Some(0xfd6f)
            }))
        );
        let delete = hex!("57fd 03 01 01 1d");
        let action = FilterAction::Delete;
        assert_eq!(
            Command::decode(&delete),
            Ok(Command::Filter(FilterCommand::Selection { action, filter }))
        );
        assert_eq!(
            Command::decode(&hex!("57fd 02 01 02")),
            Ok(Command::Filter(FilterCommand::Selection {
                action: FilterAction::Clear,
                filter: 0
            }))
        );
        assert_eq!(
            Command::decode(&hex!("57fd 02 00 01")),
            Ok(Command::Filter(FilterCommand::Other))
        );
    }

    #[test]
    fn advertising_data_of_all_three_kinds() {
        let legacy = [&hex!("0820 20 02 aabb")[..], &[0; 29]].concat();
        let android = [&hex!("54fd 22 02 02 aabb")[..], &[0; 29], &[5]].concat();
        let extended = hex!("3720 06 05 03 01 02 aabb");
        for (packet, set) in [
            (&legacy[..], AdvertisingSet::Legacy),
            (&android, AdvertisingSet::Android(5)),
            (&extended, AdvertisingSet::Extended(5)),
        ] {
            assert_eq!(
                Command::decode(packet),
                Ok(Command::AdvertisingData {
                    set,
                    operation: DataOperation::Replace,
                    data: AdvertisingData(&[0xaa, 0xbb])
                })
            );
            assert!(matches!(
                Command::decode(&packet[..packet.len() - 1]),
                Err(HciError::Truncated { .. })
            ));
        }
    }

    #[test]
    fn enabling_names_its_sets() {
        let sets = |packet: &[u8], expected| match Command::decode(packet) {
            Ok(Command::AdvertisingEnable { sets, enabled }) => {
                assert_eq!(enabled, expected);
                [1, 2, 3].map(|handle| sets.contains(AdvertisingSet::Extended(handle)))
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(sets(&hex!("3920 0a 01 02 01000000 03000000"), true), [true, false, true]);
        assert_eq!(sets(&hex!("3920 02 00 00"), false), [true; 3]);
        assert_eq!(sets(&hex!("3920 06 00 01 02000000"), false), [false, true, false]);
        assert_eq!(sets(&hex!("54fd 03 05 01 01"), true), [false; 3]);
    }

    #[test]
    fn scanning_says_which_generation_it_is() {
        let (commands, enabled) = (ScanCommands::Extended, true);
        let scan = Command::decode(&hex!("4220 06 01 0000000000"));
        assert_eq!(scan, Ok(Command::ScanEnable { commands, enabled }));
        let (commands, enabled) = (ScanCommands::Legacy, false);
        let scan = Command::decode(&hex!("0c20 02 00 01"));
        assert_eq!(scan, Ok(Command::ScanEnable { commands, enabled }));
        assert_eq!(Command::decode(&hex!("030c 00")), Ok(Command::Reset));
        assert_eq!(Command::decode(&hex!("0110 00")), Ok(Command::Other { opcode: 0x1001 }));
    }
}
