//! What an app team chooses when it opens the client.

use chikaku_core::advertisement::AdvertisementFormat;
use chikaku_core::diary::DiaryRules;
use chikaku_core::engine::EngineConfiguration;
use chikaku_core::export::{KeyIdentity, TrustedKey as CoreTrustedKey, TrustedKeys};
use chikaku_core::guidance::messages::{MessageFile, MessageSet};
use chikaku_core::guidance::rule_table::RuleTable;
use chikaku_core::metadata::MetadataVersion;
use chikaku_core::risk::RiskProfile;
use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::validation::document::read_profile;

use crate::{CalibrationConfidence, ExposureNotificationError, UploadServer};

/// Everything the client is opened with.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClientConfiguration {
    /// Radiated transmit power of this phone's model in dBm, -60..=20.
    pub transmit_power_dbm: i32,
    /// Whose key files are believed. With an empty list every key file is refused.
    pub trusted_keys: Vec<TrustedKey>,
    /// The risk configuration that is in force until another is accepted; `None` for COCOA's.
    #[uniffi(default = None)]
    pub risk: Option<RiskConfiguration>,
    /// The app team's name for the risk configuration, for the daily records.
    #[uniffi(default = None)]
    pub risk_version: Option<String>,
    /// How well this model is calibrated; `None` if it is not.
    #[uniffi(default = None)]
    pub calibration_confidence: Option<CalibrationConfidence>,
    /// What this model adds to the signal strengths it reports, in dB, -128..=127.
    #[uniffi(default = 0)]
    pub rssi_correction_db: i32,
    /// 16-bit UUID of the advertised service. Only Google's and Apple's own services may use
    /// 0xFD6F on their phones; an app outside of them brings a UUID of its own.
    #[uniffi(default = 64879)]
    pub service_uuid: i32,
    /// How many key files are matched a day; `None` for all.
    #[uniffi(default = None)]
    pub key_files_per_day: Option<i32>,
    /// For how many times 24 hours anything is kept, 1..=14.
    #[uniffi(default = 14)]
    pub retention_days: i32,
    /// A rule table for the guidance, as JSON; `None` for the library's own, which names nobody to
    /// call.
    #[uniffi(default = None)]
    pub guidance_rules_json: Option<String>,
    /// Message files for the guidance, one JSON document for each language; empty for the
    /// library's own in Japanese and English.
    #[uniffi(default = [])]
    pub guidance_messages_json: Vec<String>,
    /// The server that takes keys; `None` if the app publishes by itself, or not at all. With a
    /// server there are decoys.
    #[uniffi(default = None)]
    pub upload_server: Option<UploadServer>,
    /// Whose signature makes a venue's code a genuine one. The others can be checked in with, too.
    #[uniffi(default = [])]
    pub venue_issuers: Vec<TrustedKey>,
    /// A rule table for the diary, as JSON; `None` for the library's own, which is the
    /// prefecture of Kanagawa's with placeholders.
    #[uniffi(default = None)]
    pub diary_rules_json: Option<String>,
}

/// How contacts become a decision.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RiskConfiguration {
    /// COCOA's production rules, without their faults.
    Cocoa,
    /// This project's own: closer, longer, more infectious never lowers the score.
    Monotone,
    /// GAEN's daily summaries with the weights of Exposure Notifications Express.
    Gaen,
    /// A risk profile, or one of COCOA's documents that describes one.
    Document {
        /// The document.
        json: String,
    },
}

/// A key whose signature makes a key file believed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TrustedKey {
    /// `verification_key_id`, often the region's mobile country code.
    pub id: String,
    /// `verification_key_version`.
    pub version: String,
    /// The P-256 public key: PEM, or the base64 of it.
    pub public_key: String,
}

/// The texts and rules of the guidance.
#[derive(Debug)]
pub(crate) struct GuidanceRules {
    pub(crate) table: RuleTable,
    pub(crate) messages: MessageSet,
}

impl ClientConfiguration {
    pub(crate) fn engine(&self) -> Result<EngineConfiguration, ExposureNotificationError> {
        let power = i8::try_from(self.transmit_power_dbm)
            .map_err(|_| invalid("transmit_power_dbm", "outside -60..=20"))?;
        let power =
            TransmitPowerDbm::new(power).map_err(|error| invalid("transmit_power_dbm", error))?;
        let trusted = trusted_keys("trusted_keys", &self.trusted_keys)?;
        let profile = match &self.risk {
            Some(risk) => risk.profile()?,
            None => RiskProfile::cocoa_v2(),
        };
        let mut engine = EngineConfiguration::new(profile, power, trusted);
        engine.version.clone_from(&self.risk_version);
        engine.upload_endpoint =
            self.upload_server.as_ref().map(UploadServer::endpoint).transpose()?;
        engine.metadata.version = MetadataVersion::V1_1(
            self.calibration_confidence.unwrap_or(CalibrationConfidence::Lowest).into(),
        );
        engine.windows.rssi_correction = RssiCorrectionDb(
            i8::try_from(self.rssi_correction_db)
                .map_err(|_| invalid("rssi_correction_db", "outside -128..=127"))?,
        );
        engine.advertisement_format = AdvertisementFormat {
            service_uuid: u16::try_from(self.service_uuid)
                .map_err(|_| invalid("service_uuid", "not a 16-bit UUID"))?,
        };
        engine.key_files_per_day = self
            .key_files_per_day
            .map(|count| u32::try_from(count).map_err(|_| invalid("key_files_per_day", "negative")))
            .transpose()?;
        engine.retention_days = u32::try_from(self.retention_days)
            .ok()
            .filter(|days| (1..=14).contains(days))
            .ok_or_else(|| invalid("retention_days", "outside 1..=14"))?;
        if let Some(json) = &self.diary_rules_json {
            engine.diary_rules =
                DiaryRules::read(json).map_err(|error| invalid("diary_rules_json", error))?;
        }
        Ok(engine)
    }

    pub(crate) fn venue_issuers(&self) -> Result<TrustedKeys, ExposureNotificationError> {
        trusted_keys("venue_issuers", &self.venue_issuers)
    }

    pub(crate) fn guidance(&self) -> Result<GuidanceRules, ExposureNotificationError> {
        let messages = if self.guidance_messages_json.is_empty() {
            MessageSet::builtin()
        } else {
            let files = self.guidance_messages_json.iter().enumerate().map(|(number, json)| {
                let name = format!("guidance_messages_json[{number}]");
                MessageFile::read(json).map_err(|error| invalid(&name, error))
            });
            MessageSet::new(files.collect::<Result<Vec<_>, _>>()?)
                .map_err(|error| invalid("guidance_messages_json", error))?
        };
        let table = match &self.guidance_rules_json {
            Some(json) => RuleTable::read(json, &messages)
                .map_err(|error| invalid("guidance_rules_json", error))?,
            None => RuleTable::builtin(),
        };
        // Texts of an app's own need not have the keys of the library's own table.
        if let Some(key) = table.keys().into_iter().find(|key| !messages.contains(key)) {
            let without = format!("no text for {}", key.as_str());
            return Err(invalid("guidance_messages_json", without));
        }
        Ok(GuidanceRules { table, messages })
    }
}

impl RiskConfiguration {
    fn profile(&self) -> Result<RiskProfile, ExposureNotificationError> {
        match self {
            Self::Cocoa => Ok(RiskProfile::cocoa_v2()),
            Self::Monotone => Ok(RiskProfile::monotone()),
            Self::Gaen => Ok(RiskProfile::gaen()),
            Self::Document { json } => read_profile(json).map_err(|error| invalid("risk", error)),
        }
    }
}

fn trusted_keys(
    place: &str,
    keys: &[TrustedKey],
) -> Result<TrustedKeys, ExposureNotificationError> {
    let mut trusted = TrustedKeys::new();
    for key in keys {
        let identity = KeyIdentity::new(key.id.as_str(), key.version.as_str());
        let read = if key.public_key.contains("-----BEGIN") {
            CoreTrustedKey::from_pem(identity, &key.public_key)
        } else {
            CoreTrustedKey::from_base64(identity, &key.public_key)
        };
        trusted.add(read.map_err(|error| invalid(place, error))?);
    }
    Ok(trusted)
}

fn invalid(place: &str, what: impl core::fmt::Display) -> ExposureNotificationError {
    ExposureNotificationError::configuration(format_args!("{place}: {what}"))
}
