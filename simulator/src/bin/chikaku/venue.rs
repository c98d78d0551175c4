//! `chikaku venue`: the code of a venue, and the poster for its door.

mod lettering;
mod page;
mod poster;

use std::path::PathBuf;

use chikaku_core::export::{KeyIdentity, SigningKey};
use chikaku_core::time::UtcDay;
use chikaku_core::venue::VenueType;
use chikaku_core::venue::code::{Declaration, DefaultStay, LONGEST_NAME, NewVenue};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::failure::{self, Failure};
use crate::instant;
use crate::output::say;
use lettering::Lettering;
use poster::Poster;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Sign the code of a new venue, print it, and draw an A4 poster of it
    Issue(Issue),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Issue {
    /// What kind of place it is, as in permanent_food_service
    #[arg(long = "type", default_value = "permanent_other", value_parser = parse_type)]
    venue_type: VenueType,
    /// Name of the place; it stands in the code and on the poster
    #[arg(long)]
    name: Option<String>,
    /// For how many minutes visitors stay as a rule, rounded to quarters of an hour
    #[arg(long, default_value_t = 60)]
    stay: u32,
    /// Declared measures, as in ventilation,disinfection
    #[arg(long, value_delimiter = ',')]
    measures: Vec<String>,
    /// Day of issue
    #[arg(long, value_parser = instant::parse_day)]
    issued_on: UtcDay,
    /// The issuer's P-256 private key in PEM (PKCS #8 or SEC 1)
    #[arg(long)]
    sign_with: PathBuf,
    /// Id of the issuer's key
    #[arg(long, default_value = "440")]
    key_id: String,
    /// Version of the issuer's key
    #[arg(long, default_value = "v1")]
    key_version: String,
    /// Make the same code every time; whoever knows the seed can make warnings for the venue
    #[arg(long)]
    seed: Option<u64>,
    /// Font with Japanese and Latin letters (OpenType or TrueType), for the posters
    #[arg(long)]
    font: Option<PathBuf>,
    /// Where to write the poster as SVG
    #[arg(long, requires = "font")]
    svg: Option<PathBuf>,
    /// Where to write the poster as PDF
    #[arg(long, requires = "font")]
    pdf: Option<PathBuf>,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Issue(arguments) = command;
    issue(arguments)
}

fn issue(arguments: &Issue) -> Result<(), Failure> {
    let pem = failure::read_text(&arguments.sign_with)?;
    let identity = KeyIdentity::new(&arguments.key_id, &arguments.key_version);
    let issuer = SigningKey::from_pem(identity, &pem)
        .map_err(|error| Failure::refused(error).about(&arguments.sign_with))?;
    let venue = NewVenue {
        venue_type: arguments.venue_type,
        default_stay: DefaultStay::from_minutes(arguments.stay),
        name: arguments.name.clone(),
        declaration: Declaration {
            measures: arguments.measures.clone(),
            issued_on: arguments.issued_on,
        },
    };
    let mut rng = match arguments.seed {
        Some(seed) => ChaCha20Rng::seed_from_u64(seed),
        None => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)
                .map_err(|error| Failure::Refused(anyhow::anyhow!("no randomness: {error}")))?;
            ChaCha20Rng::from_seed(seed)
        }
    };
    let text = venue.issue(&issuer, &mut rng).map_err(|error| {
        let limits = format!("a name has up to {LONGEST_NAME} characters, a measure is a key");
        Failure::Refused(anyhow::Error::new(error).context(limits))
    })?;
    if let Some(path) = &arguments.font {
        let font = failure::read(path)?;
        let lettering = Lettering::read(&font).map_err(|error| error.about(path))?;
        let page =
            Poster { venue: &venue, issuer: issuer.identity(), text: &text }.draw(&lettering)?;
        if let Some(path) = &arguments.svg {
            failure::write(path, page.to_svg().as_bytes())?;
        }
        if let Some(path) = &arguments.pdf {
            failure::write(path, &page.to_pdf())?;
        }
    }
    say!("{text}");
    Ok(())
}

fn parse_type(text: &str) -> Result<VenueType, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|_| {
        let known = VenueType::ALL.map(|known| serde_json::to_value(known).unwrap_or_default());
        let known: Vec<_> = known.iter().filter_map(serde_json::Value::as_str).collect();
        format!("one of {}", known.join(", "))
    })
}
