//! `chikaku keyserver`: a key server for tests, on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use chikaku_core::export::{KeyIdentity, SigningKey};
use chikaku_core::publish::ProcessingNumber;
use chikaku_core::time::Timestamp;
use chikaku_simulator::key_server::{Folder, KeyServer, Numbers, PrivacyRules, Site, serve};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::failure::{self, Failure};
use crate::output::{self, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder for published files; keys that are not published yet are kept in memory only
    #[arg(long)]
    dir: PathBuf,
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8_440)]
    port: u16,
    /// Address to listen on. The server checks no attestation and no certificate: keep it here
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// P-256 private key in PEM; made as DIR/signing_key.pem if not given
    #[arg(long)]
    sign_with: Option<PathBuf>,
    /// Region of the keys
    #[arg(long, default_value = "440")]
    region: String,
    /// A processing number that may be used once; without any, every number may be used
    #[arg(long = "number", value_parser = parse_number)]
    numbers: Vec<String>,
    /// Keys in an export at least; random keys fill it up
    #[arg(long, default_value_t = PrivacyRules::default().minimum_batch,
        value_parser = clap::value_parser!(u32).range(..=500_000))]
    minimum_batch: u32,
    /// Seconds for which nothing that was received or valid is published
    #[arg(long, default_value_t = PrivacyRules::default().embargo_seconds)]
    embargo: u32,
    /// Seconds from one export to the next
    #[arg(long, default_value_t = 4 * 3_600)]
    export_every: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.dir).map_err(|error| failure::at(&arguments.dir, error))?;
    let mut rng = randomness()?;
    let signing_key = signing_key(arguments, &mut rng)?;
    let address = SocketAddr::new(arguments.listen, arguments.port);
    let http = tiny_http::Server::http(address)
        .map_err(|error| Failure::File(anyhow!("{address}: {error}")))?;
    let bound = http.server_addr().to_ip().unwrap_or(address);
    let base_url = format!("http://{bound}");
    let folder = Folder::open(&arguments.dir, &arguments.region, &base_url)
        .map_err(|error| Failure::File(error.into()))?;
    let rules = PrivacyRules {
        minimum_batch: arguments.minimum_batch,
        embargo_seconds: arguments.embargo,
        ..PrivacyRules::default()
    };
    let numbers = match &arguments.numbers[..] {
        [] => Numbers::All,
        issued => Numbers::Issued(issued.to_vec()),
    };
    let server = KeyServer::new(&arguments.region, signing_key, rules, numbers);
    let mut site = Site::new(server, folder, rng, arguments.export_every);
    say!("{base_url}/c19r/{}/list.json", arguments.region);
    serve(&http, &mut site, now, || true, |error| output::complain(error));
    Ok(())
}

fn parse_number(text: &str) -> Result<String, String> {
    let number = ProcessingNumber::new(text).map_err(|error| error.to_string())?;
    Ok(number.as_str().to_owned())
}

fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds)
        .ok()
        .and_then(|s| Timestamp::from_unix_seconds(s).ok())
        .unwrap_or(Timestamp::EPOCH)
}

fn randomness() -> Result<ChaCha20Rng, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::File(anyhow!("the system's randomness: {error}")))?;
    Ok(ChaCha20Rng::from_seed(seed))
}

/// The key that was given, or the folder's own, which is made at the first start.
fn signing_key(arguments: &Arguments, rng: &mut ChaCha20Rng) -> Result<SigningKey, Failure> {
    let own = arguments.dir.join("signing_key.pem");
    let path = arguments.sign_with.as_ref().unwrap_or(&own);
    if path == &own && !own.exists() {
        make_key(&own, rng)?;
    }
    let pem = failure::read_text(path)?;
    let secret = p256::SecretKey::from_pem(pem.trim())
        .map_err(|error| Failure::refused(error).about(path))?;
    let public = secret
        .public_key()
        .to_public_key_pem(LineEnding::LF)
        .map_err(|error| Failure::refused(error).about(path))?;
    failure::write(&arguments.dir.join("public_key.pem"), public.as_bytes())?;
    SigningKey::from_pem(KeyIdentity::new(&arguments.region, "v1"), &pem)
        .map_err(|error| Failure::refused(error).about(path))
}

fn make_key(path: &Path, rng: &mut ChaCha20Rng) -> Result<(), Failure> {
    let mut scalar = [0; 32];
    rng.fill_bytes(&mut scalar);
    // One number in 2^32 is no private key.
    let secret = p256::SecretKey::from_slice(&scalar)
        .map_err(|error| Failure::refused(error).about(path))?;
    let pem =
        secret.to_pkcs8_pem(LineEnding::LF).map_err(|error| Failure::refused(error).about(path))?;
    failure::write(path, pem.as_bytes())
}
