//! A key server for demonstrations and for tests of apps: no second phone, no server, no account.

use chikaku_core::diagnosis_key as core_key;
use chikaku_core::export::{ExportWriter, KeyIdentity, SigningKey};
use chikaku_core::publish::visits::uploaded_warnings;
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue};
use chikaku_core::venue::{VenueType, WarningPackageWriter};
use getrandom::SysRng;
use p256::pkcs8::{EncodePublicKey, LineEnding};
use rand_core::UnwrapErr;

use crate::number;
use crate::{DiagnosisKey, ExposureNotificationError, TrustedKey};

/// Signs key files with a key that everybody knows. Trust it in demonstrations only.
#[derive(Debug, uniffi::Object)]
pub struct SimulatedKeyServer {
    signing_key: SigningKey,
}

#[uniffi::export]
impl SimulatedKeyServer {
    /// The server with this number, 1..; two servers trust each other's keys as little as any.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] below 1.
    #[uniffi::constructor]
    pub fn new(number: i32) -> Result<Self, ExposureNotificationError> {
        let mut scalar = [0; 32];
        if let Some(end) = scalar.last_chunk_mut() {
            *end = number::count("server number", number)?.to_be_bytes();
        }
        let identity = KeyIdentity::new("simulated", number.to_string());
        SigningKey::from_scalar(identity, &scalar)
            .map(|signing_key| Self { signing_key })
            .map_err(ExposureNotificationError::argument)
    }

    /// What a client must trust to believe this server's files.
    ///
    /// # Errors
    /// [`ExposureNotificationError::Internal`] if the key cannot be written.
    pub fn trusted_key(&self) -> Result<TrustedKey, ExposureNotificationError> {
        let trusted = self.signing_key.trusted_key();
        let public_key = p256::PublicKey::from_sec1_bytes(&trusted.to_sec1_bytes())
            .map_err(|_| ExposureNotificationError::Internal)?
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| ExposureNotificationError::Internal)?;
        let identity = trusted.identity();
        Ok(TrustedKey { id: identity.id.clone(), version: identity.version.clone(), public_key })
    }

    /// A signed key file of these keys, which reached the server between the two times.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for keys and times that are none.
    pub fn publish(
        &self,
        keys: Vec<DiagnosisKey>,
        start: i64,
        end: i64,
    ) -> Result<Vec<u8>, ExposureNotificationError> {
        let keys = keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let written = ExportWriter::new()
            .window(number::timestamp("start", start)?, number::timestamp("end", end)?)
            .region("simulated")
            .keys(keys)
            .signed_with(self.signing_key.clone())
            .write()
            .map_err(ExposureNotificationError::argument)?;
        Ok(written.zip)
    }

    /// The text of a new venue's code, signed by this server as the issuer.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for a name that no code can have.
    pub fn issue_venue(
        &self,
        name: Option<String>,
        default_stay_minutes: i32,
        issued_on: i32,
    ) -> Result<String, ExposureNotificationError> {
        let venue = NewVenue {
            venue_type: VenueType::PermanentFoodService,
            default_stay: DefaultStay::from_minutes(number::count("stay", default_stay_minutes)?),
            name,
            declaration: Declaration {
                measures: vec!["ventilation".to_owned()],
                issued_on: number::utc_day("issued on", issued_on)?,
            },
        };
        venue
            .issue(&self.signing_key, &mut UnwrapErr(SysRng))
            .map_err(ExposureNotificationError::argument)
    }

    /// A signed package of the warnings in these uploads: bodies of `Send` steps, decoys among them.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for what is no upload.
    pub fn publish_venue_warnings(
        &self,
        uploads: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, ExposureNotificationError> {
        let mut package = WarningPackageWriter::new("simulated");
        for body in uploads {
            let warnings = uploaded_warnings(&body).map_err(ExposureNotificationError::argument)?;
            package = package.warnings(warnings);
        }
        package.write(&self.signing_key).map_err(ExposureNotificationError::argument)
    }
}

fn read(key: &DiagnosisKey) -> Result<core_key::DiagnosisKey, ExposureNotificationError> {
    let wrong = |sentence: &str| ExposureNotificationError::argument(sentence);
    let bytes = key.key_data.as_slice().try_into().map_err(|_| wrong("a key has sixteen bytes"))?;
    let start = u32::try_from(key.rolling_start_interval_number)
        .map_err(|_| wrong("rolling start: no interval number"))?;
    let period = number::count("rolling period", key.rolling_period)?;
    let period = RollingPeriod::new(period).map_err(ExposureNotificationError::argument)?;
    let risk_level = key.transmission_risk_level.map(u8::try_from).transpose();
    let details = core_key::DiagnosisKeyDetails {
        transmission_risk_level: risk_level.map_err(|_| wrong("transmission risk level"))?,
        report_type: key.report_type.map(crate::ReportType::core),
        days_since_onset: key.days_since_onset_of_symptoms.and_then(core_key::DaysSinceOnset::new),
        ..core_key::DiagnosisKeyDetails::default()
    };
    Ok(core_key::DiagnosisKey::new(bytes, IntervalNumber::new(start), period, details))
}
