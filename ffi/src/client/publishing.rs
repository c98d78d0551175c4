//! From the user's consent to keys, and warnings for other visitors, at the server.

use chikaku_core::engine::{Input, PublishError, PublishInput};
use chikaku_core::publish::release::ReleaseError;
use chikaku_core::publish::{
    Consent, DeepLinkFormat, Endpoint, IdempotencyKey, ProcessingNumber, ReleaseRequest,
    VerificationCode,
};

use super::{Error, ExposureNotificationClient};
use crate::action::Answer;
use crate::number::to_i32;
use crate::publishing::count;
use crate::{
    Action, ClockReading, Publication, PublicationConsent, PublicationDate, PublicationOutcome,
    ReportType, UploadAnswer, UploadCall, UploadOutcome, UploadProgress, UploadStatus,
};

impl ExposureNotificationClient {
    fn tell_publishing(&self, now: &ClockReading, input: PublishInput) -> Result<Answer, Error> {
        self.tell(now, Input::Publish(Box::new(input)))
    }

    /// What the user entered: eight digits, unless the server is one that knows other codes.
    fn code(&self, number: &str) -> Result<VerificationCode, Error> {
        let knows_others = self.with(|open| {
            let endpoint = open.engine.configuration().upload_endpoint.as_ref();
            Ok(matches!(endpoint, Some(Endpoint::ExposureServer(_))))
        })?;
        let wrong = match ProcessingNumber::from_typed(number) {
            Ok(number) => return Ok(number.into()),
            Err(wrong) => wrong,
        };
        let other = VerificationCode::new(number.trim()).ok().filter(|_| knows_others);
        other.ok_or_else(|| Error::argument(format_args!("number: {wrong}")))
    }
}

#[uniffi::export]
impl ExposureNotificationClient {
    /// The user tested positive, was asked by an app that says what will be published, has agreed,
    /// and entered `number`: eight digits, or the code of a verification server. The keys are
    /// closed, the visits marked if the consent includes them, and both queued in one transaction;
    /// they are kept until the server has them, and travel in the same requests.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the number cannot be one; the user can correct it at once.
    pub fn publish_keys(
        &self,
        consent: PublicationConsent,
        report_type: ReportType,
        date: PublicationDate,
        number: String,
        now: ClockReading,
    ) -> Result<Publication, Error> {
        let code = self.code(&number)?;
        let visits = consent.visits()?;
        let given = Consent::given_by_user(now.read()?.wall);
        let given = if visits.is_some() { given.including_visits() } else { given };
        let mut request = ReleaseRequest::new(given, report_type.core(), date.basis()?);
        request.visits = visits;
        let answer = self.tell_publishing(&now, PublishInput::Publish { request, code })?;
        let outcome = match answer.queued {
            Some(Ok(queued)) => PublicationOutcome::Queued {
                upload: queued.upload.to_string(),
                visits: count(queued.visits.submitted),
                visits_left_out: count(queued.visits.left_out),
            },
            Some(Err(PublishError::NoServerForVisits)) => PublicationOutcome::NoServerForVisits,
            Some(Err(PublishError::Wait(wait))) => {
                PublicationOutcome::Wait { seconds: to_i32(wait.seconds) }
            }
            Some(Err(PublishError::Release(ReleaseError::DateInFuture))) => {
                PublicationOutcome::DateInFuture
            }
            Some(Err(PublishError::Release(_))) => PublicationOutcome::NoKeys,
            Some(Err(_)) | None => PublicationOutcome::NoServer,
        };
        Ok(Publication { outcome, actions: answer.actions })
    }

    /// There is a network: the call to make now, if there is one. Uploads and decoys look alike,
    /// so that nobody can tell them apart; make every call.
    ///
    /// # Errors
    /// [`Error`].
    pub fn next_upload_call(&self, now: ClockReading) -> Result<Option<UploadCall>, Error> {
        Ok(self.tell_publishing(&now, PublishInput::NextCall)?.call)
    }

    /// This came of the call that `next_upload_call` named last for the upload.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on_upload_answer(
        &self,
        upload: String,
        answer: UploadAnswer,
        now: ClockReading,
    ) -> Result<UploadProgress, Error> {
        let input = PublishInput::Answered { upload: name(&upload)?, answer: answer.core()? };
        let answer = self.tell_publishing(&now, input)?;
        let outcome = answer.progress.map_or(UploadOutcome::Ignored, Into::into);
        Ok(UploadProgress { outcome, actions: answer.actions })
    }

    /// The user corrected a number that the server refused. The keys are the same; the user need
    /// not agree again.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the number cannot be one.
    pub fn correct_number(
        &self,
        upload: String,
        number: String,
        now: ClockReading,
    ) -> Result<Vec<Action>, Error> {
        let input = PublishInput::CorrectCode { upload: name(&upload)?, code: self.code(&number)? };
        Ok(self.tell_publishing(&now, input)?.actions)
    }

    /// The user does not want an upload any more. What the server has is not taken back.
    ///
    /// # Errors
    /// [`Error`].
    pub fn cancel_upload(&self, upload: String, now: ClockReading) -> Result<Vec<Action>, Error> {
        let input = PublishInput::Cancel { upload: name(&upload)? };
        Ok(self.tell_publishing(&now, input)?.actions)
    }

    /// What the user waits for.
    ///
    /// # Errors
    /// [`Error`].
    pub fn uploads(&self) -> Result<Vec<UploadStatus>, Error> {
        self.with(|open| Ok(open.engine.uploads().into_iter().map(UploadStatus::from).collect()))
    }
}

/// The processing number in a link of COCOA's form (`https://host/cocoa/a/?pn=12345678`), as the
/// operating system hands it over.
///
/// # Errors
/// [`Error::InvalidArgument`] says why there is none.
#[uniffi::export]
pub fn processing_number_of_link(link: String, host: String) -> Result<String, Error> {
    let number = DeepLinkFormat::cocoa(&host).number(&link).map_err(Error::argument)?;
    Ok(number.as_str().to_owned())
}

fn name(upload: &str) -> Result<IdempotencyKey, Error> {
    IdempotencyKey::parse(upload).map_err(|error| Error::argument(format_args!("upload: {error}")))
}
