//! What a node said with `chikaku live --json --show-identifiers`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::truth::number;

pub(crate) struct Heard {
    pub(crate) at: i64,
    pub(crate) identifier: [u8; 16],
    pub(crate) rssi: i64,
}

pub(crate) struct NodeScan {
    pub(crate) ended: i64,
    pub(crate) heard: Vec<Heard>,
}

#[derive(Default)]
pub(crate) struct NodeLog {
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    /// When the interval of each payload ends.
    pub(crate) planned_until: BTreeMap<[u8; 20], i64>,
    pub(crate) scans_planned: usize,
    pub(crate) scans: Vec<NodeScan>,
    pub(crate) disclosed_at: Option<i64>,
    pub(crate) announced: usize,
    /// Windows as they were after the last key file.
    pub(crate) windows: Option<Vec<Value>>,
}

impl NodeLog {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut log = Self::default();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            log.line(&line).with_context(|| line.to_string())?;
        }
        Ok(log)
    }

    fn line(&mut self, line: &Value) -> anyhow::Result<()> {
        if let Some(at) = line["at"].as_i64() {
            self.last_at = at;
            if self.first_at == 0 {
                self.first_at = at;
            }
        }
        match line["event"].as_str().unwrap_or_default() {
            "advertise" => {
                let mut payload = [0; 20];
                hex::decode_to_slice(line["payload"].as_str().unwrap_or_default(), &mut payload)
                    .map_err(anyhow::Error::msg)?;
                self.planned_until.insert(payload, number(line, "until")?);
            }
            "scan" => self.scans_planned += 1,
            "scanned" => {
                let heard = line["heard"].as_array().context("no `heard`")?;
                let heard = heard.iter().map(heard_of).collect::<anyhow::Result<_>>()?;
                self.scans.push(NodeScan { ended: number(line, "ended")?, heard });
            }
            "disclosed" => self.disclosed_at = Some(number(line, "at")?),
            "announce" => self.announced += 1,
            "exposures" => self.windows = line["windows"].as_array().cloned(),
            _ => {}
        }
        Ok(())
    }
}

fn heard_of(value: &Value) -> anyhow::Result<Heard> {
    let mut identifier = [0; 16];
    hex::decode_to_slice(value[1].as_str().unwrap_or_default(), &mut identifier)
        .map_err(anyhow::Error::msg)?;
    let at = value[0].as_i64().context("no time")?;
    Ok(Heard { at, identifier, rssi: value[2].as_i64().context("no strength")? })
}
