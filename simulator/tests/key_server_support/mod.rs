//! A running key server whose clock the test sets, and a network that breaks.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a part of several tests, not each of which needs all of it"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle};

use chikaku_core::download::Source;
use chikaku_core::export::{KeyIdentity, SigningKey};
use chikaku_core::publish::request::Method;
use chikaku_core::publish::{Answer, Request};
use chikaku_core::time::Timestamp;
use chikaku_simulator::key_server::{Folder, KeyServer, Numbers, PrivacyRules, Site, serve};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub const NUMBER: &str = "12345678";
pub const HOUR: u32 = 3_600;

pub fn signing_key() -> SigningKey {
    SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]).unwrap()
}

pub fn rules() -> PrivacyRules {
    PrivacyRules { minimum_batch: 200, extra_keys: 20, ..PrivacyRules::default() }
}

pub fn key_server() -> KeyServer {
    let numbers = Numbers::Issued(vec![NUMBER.to_owned()]);
    KeyServer::new("440", signing_key(), rules(), numbers)
}

/// A running server whose clock the test sets.
pub struct Running {
    pub address: SocketAddr,
    clock: Arc<AtomicI64>,
    goes_on: Arc<AtomicBool>,
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<Site>>,
}

impl Running {
    pub fn start(folder: &Path, now: Timestamp) -> Self {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let address = http.server_addr().to_ip().unwrap();
        let folder = Folder::open(folder, "440", &format!("http://{address}")).unwrap();
        let rng = ChaCha20Rng::seed_from_u64(8);
        let mut site = Site::new(key_server(), folder, rng, HOUR);
        let clock = Arc::new(AtomicI64::new(now.unix_seconds()));
        let goes_on = Arc::new(AtomicBool::new(true));
        let thread = thread::spawn({
            let (http, clock, goes_on) = (http.clone(), clock.clone(), goes_on.clone());
            move || {
                let now = || Timestamp::from_unix_seconds(clock.load(Ordering::SeqCst)).unwrap();
                serve(
                    &http,
                    &mut site,
                    now,
                    || goes_on.load(Ordering::SeqCst),
                    |error| {
                        panic!("{error}");
                    },
                );
                site
            }
        });
        Self { address, clock, goes_on, http, thread: Some(thread) }
    }

    pub fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.unix_seconds(), Ordering::SeqCst);
    }

    pub fn source(&self) -> Source {
        Source::new("440", &format!("http://{}/c19r/440", self.address)).unwrap()
    }

    pub fn stop(mut self) -> Site {
        self.goes_on.store(false, Ordering::SeqCst);
        self.http.unblock();
        self.thread.take().unwrap().join().unwrap()
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

pub fn get(url: &str) -> (u16, Vec<u8>) {
    let mut response = agent().get(url).call().unwrap();
    let body = response.body_mut().read_to_vec().unwrap();
    (response.status().as_u16(), body)
}

/// What the network does to a request.
#[derive(Clone, Copy, PartialEq)]
pub enum Network {
    Works,
    /// The connection breaks when half of the body is sent.
    BreaksInTheRequest,
    /// The server has everything, and its answer is lost.
    LosesTheAnswer,
}

pub fn send(address: SocketAddr, request: &Request, network: Network) -> Answer {
    if network == Network::Works {
        let url = format!("http://{address}{}", request.path);
        let builder = match request.method {
            Method::Put => agent().put(url),
            Method::Post => agent().post(url),
        };
        let builder =
            request.headers.iter().fold(builder, |b, (name, value)| b.header(*name, *value));
        let mut response = builder.send(&request.body[..]).unwrap();
        let body = response.body_mut().read_to_vec().unwrap();
        return Answer::Response { status: response.status().as_u16(), body };
    }
    let mut stream = TcpStream::connect(address).unwrap();
    let length = request.body.len();
    let method = format!("{:?}", request.method).to_uppercase();
    let mut head = format!("{method} {} HTTP/1.1\r\nHost: {address}\r\n", request.path);
    for (name, value) in request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let sent = if network == Network::LosesTheAnswer { length } else { length / 2 };
    stream.write_all(&request.body[..sent]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    // The server is done with it when it closes; what it says does not reach the phone.
    let _lost = stream.read_to_end(&mut Vec::new());
    Answer::Nothing
}
