//! HTTP/1.1 in front of the server and its folder, one request after the other.

use std::io::Read;
use std::time::Duration;

use chikaku_core::export::WriteError;
use chikaku_core::time::Timestamp;
use rand_chacha::ChaCha20Rng;
use thiserror::Error;
use tiny_http::{Header, Method, Request, Response, Server};

use super::{Folder, FolderError, KeyServer, Reply, Upload};

/// No upload is longer (exposure-notifications-server).
const MAX_BODY_BYTES: u64 = 64 << 10;
/// How long the loop waits for a request before it looks at the clock again.
const TICK: Duration = Duration::from_secs(1);

/// Why an export was not published. The keys are in the next one.
#[derive(Debug, Error)]
pub enum PublishError {
    /// It could not be written to the folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It could not be put together.
    #[error(transparent)]
    Export(#[from] WriteError),
}

/// A server, its folder and its randomness.
#[derive(Debug)]
pub struct Site {
    /// What was uploaded.
    pub server: KeyServer,
    /// What is published.
    pub folder: Folder,
    /// For padding.
    pub rng: ChaCha20Rng,
    /// Seconds from one export to the next.
    pub export_every_seconds: u32,
    last_export: Option<Timestamp>,
}

impl Site {
    /// A site that exports every so many seconds.
    #[must_use]
    pub const fn new(
        server: KeyServer,
        folder: Folder,
        rng: ChaCha20Rng,
        export_every_seconds: u32,
    ) -> Self {
        Self { server, folder, rng, export_every_seconds, last_export: None }
    }

    /// Exports if it is time to.
    ///
    /// # Errors
    /// [`PublishError`]; it is tried again at the next time.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), PublishError> {
        let every = i64::from(self.export_every_seconds);
        if self.last_export.is_some_and(|last| (0..every).contains(&now.seconds_since(last))) {
            return Ok(());
        }
        self.last_export = Some(now);
        self.server.forget_old(now);
        if let Some(export) = self.server.prepare_export(now, &mut self.rng)? {
            self.folder.publish(&export.zip, now)?;
            self.server.confirm(&export);
        }
        Ok(())
    }

    fn answer(&mut self, request: &mut Request, now: Timestamp) -> Reply {
        let path = request.url().split('?').next().unwrap_or_default().to_owned();
        let nothing = |status| Reply { status, body: Vec::new() };
        match (request.method(), path.as_str()) {
            (Method::Get, _) => match self.folder.file(&path) {
                Ok(Some(body)) => Reply { status: 200, body },
                Ok(None) => nothing(404),
                Err(_) => nothing(500),
            },
            (Method::Put, "/v2/diagnosis" | "/v3/diagnosis") | (Method::Post, "/v1/publish") => {
                let decoy = request.headers().iter().any(|header| header.field.equiv("X-Chaff"));
                match body_of(request) {
                    Ok(body) => {
                        let upload = Upload { path: &path, decoy, body: &body };
                        self.server.receive(&upload, now, &mut self.rng)
                    }
                    Err(status) => nothing(status),
                }
            }
            _ => nothing(404),
        }
    }
}

/// The whole body; a part of one is refused.
fn body_of(request: &mut Request) -> Result<Vec<u8>, u16> {
    let announced = request.body_length();
    let mut body = Vec::new();
    let read = request.as_reader().take(MAX_BODY_BYTES + 1).read_to_end(&mut body);
    if body.len() as u64 > MAX_BODY_BYTES {
        return Err(413);
    }
    let is_whole = read.is_ok() && announced.is_none_or(|length| length == body.len());
    if is_whole { Ok(body) } else { Err(400) }
}

/// Answers requests until `goes_on` says no. `clock` is asked at each request and each second;
/// `report` hears what could not be published.
pub fn serve(
    http: &Server,
    site: &mut Site,
    clock: impl Fn() -> Timestamp,
    goes_on: impl Fn() -> bool,
    report: impl Fn(&PublishError),
) {
    while goes_on() {
        let request = http.recv_timeout(TICK);
        let now = clock();
        if let Err(error) = site.tick(now) {
            report(&error);
        }
        // A connection that broke is its client's concern.
        let Ok(Some(mut request)) = request else { continue };
        let reply = site.answer(&mut request, now);
        let json = Header::from_bytes("Content-Type", "application/json");
        let response = Response::from_data(reply.body).with_status_code(reply.status);
        let response = json.into_iter().fold(response, Response::with_header);
        let _gone_or_answered = request.respond(response);
    }
}
