//! The ground truth as the controllers wrote it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use chikaku_core::advertisement::AdvertisementFormat;
use serde_json::Value;

pub(crate) const MICROS: i64 = 1_000_000;
/// What lies closer together is one scan: the kernel restarts its scanner.
const RESTART_MICROS: i64 = MICROS;

/// A payload, from when until when it was on the air.
pub(crate) struct Aired {
    pub(crate) controller: usize,
    pub(crate) address: String,
    pub(crate) service_data: [u8; 20],
    pub(crate) is_private_broadcast: bool,
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Wall clock less the clock since boot, when it began.
    wall_less_boot: i64,
    /// Whether somebody set the wall clock meanwhile: then it says little about the interval.
    pub(crate) clock_was_set: bool,
}

/// What a controller told its host.
pub(crate) struct Report {
    pub(crate) controller: usize,
    pub(crate) identifier: [u8; 16],
    pub(crate) rssi: i64,
    pub(crate) micros: i64,
}

/// A scan of a controller.
pub(crate) struct Scan {
    pub(crate) controller: usize,
    pub(crate) until: i64,
}

#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) aired: Vec<Aired>,
    pub(crate) reports: Vec<Report>,
    pub(crate) scans: Vec<Scan>,
    /// Controllers whose payload changed while it was on the air.
    pub(crate) data_changed: Vec<usize>,
}

/// A whole number of a line.
pub(crate) fn number(line: &Value, field: &str) -> anyhow::Result<i64> {
    line[field].as_i64().with_context(|| format!("no `{field}`"))
}

impl Truth {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut truth = Self::default();
        let mut on: BTreeMap<usize, Aired> = BTreeMap::new();
        let mut last = 0;
        for (index, line) in text.lines().enumerate() {
            let line: Value =
                serde_json::from_str(line).with_context(|| format!("line {}", index + 1))?;
            last = number(&line, "micros")?;
            truth.line(&line, &mut on)?;
        }
        for (_, mut aired) in on {
            aired.until = last;
            truth.aired.push(aired);
        }
        Ok(truth)
    }

    fn line(&mut self, line: &Value, on: &mut BTreeMap<usize, Aired>) -> anyhow::Result<()> {
        let micros = number(line, "micros")?;
        let controller = usize::try_from(number(line, "controller")?)?;
        let data =
            hex::decode(line["data"].as_str().unwrap_or_default()).map_err(anyhow::Error::msg)?;
        let advertisement = AdvertisementFormat::default().decode(&data).ok();
        match line["event"].as_str().unwrap_or_default() {
            "advertising_on" => {
                let Some(advertisement) = advertisement else { return Ok(()) };
                let address = line["address"].as_str().unwrap_or_default().to_owned();
                let first = u8::from_str_radix(address.get(..2).unwrap_or_default(), 16)?;
                let is_private_broadcast =
                    line["random"] == true && line["kind"] == 3 && first < 64;
                let service_data = advertisement.to_service_data();
                let aired = Aired {
                    controller,
                    address,
                    service_data,
                    is_private_broadcast,
                    from: micros,
                    until: micros,
                    wall_less_boot: micros - number(line, "boot_micros")?,
                    clock_was_set: false,
                };
                on.insert(controller, aired);
            }
            "advertising_off" | "removed" => {
                if let Some(mut aired) = on.remove(&controller) {
                    aired.until = micros;
                    let wall_less_boot = micros - number(line, "boot_micros")?;
                    aired.clock_was_set = (wall_less_boot - aired.wall_less_boot).abs() > MICROS;
                    self.aired.push(aired);
                }
            }
            "data_changed_while_on" => self.data_changed.push(controller),
            "scan_on" => {
                let last = self.scans.iter_mut().rev().find(|scan| scan.controller == controller);
                match last {
                    Some(scan) if micros - scan.until < RESTART_MICROS => {}
                    _ => self.scans.push(Scan { controller, until: micros }),
                }
            }
            "scan_off" => {
                let last = self.scans.iter_mut().rev().find(|scan| scan.controller == controller);
                if let Some(scan) = last {
                    scan.until = micros;
                }
            }
            "report" => {
                let Some(advertisement) = advertisement else { return Ok(()) };
                let identifier = *advertisement.identifier.as_bytes();
                let rssi = number(line, "rssi")?;
                self.reports.push(Report { controller, identifier, rssi, micros });
            }
            _ => {}
        }
        Ok(())
    }
}
