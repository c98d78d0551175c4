//! The link in the message: `https://host/cocoa/a/?pn=12345678`.

use core::fmt;

use http::Uri;
use thiserror::Error;

use super::number::{NumberError, ProcessingNumber};

/// Why a link gives no number. No variant holds any of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeepLinkError {
    /// Not an address at all.
    #[error("the link is not an address")]
    NotAnAddress,
    /// Another scheme than https.
    #[error("the link is not an https link")]
    Scheme,
    /// Another host than the app's.
    #[error("the link leads to another host")]
    Host,
    /// Another page of the host.
    #[error("the link leads to another page")]
    Path,
    /// No number in the link.
    #[error("the link holds no processing number")]
    NoNumber,
    /// Several numbers in the link.
    #[error("the link holds more than one processing number")]
    SeveralNumbers,
    /// What the link gives as number is none.
    #[error("the number in the link is none: {0}")]
    Number(#[from] NumberError),
}

/// Which links are the app's own.
#[derive(Clone, PartialEq, Eq)]
pub struct DeepLinkFormat {
    host: String,
    path: String,
    parameter: String,
}

impl DeepLinkFormat {
    /// COCOA's form, `/cocoa/a/?pn=`, at `host`.
    #[must_use]
    pub fn cocoa(host: &str) -> Self {
        Self { host: host.to_owned(), path: "/cocoa/a/".to_owned(), parameter: "pn".to_owned() }
    }

    /// The number in `link`: a whole https address at the host, or a path and query alone, as some
    /// systems hand it over. Further parameters and a fragment are ignored.
    ///
    /// # Errors
    /// Why there is none.
    pub fn number(&self, link: &str) -> Result<ProcessingNumber, DeepLinkError> {
        let link: Uri = link.trim().parse().map_err(|_| DeepLinkError::NotAnAddress)?;
        if let Some(authority) = link.authority() {
            if link.scheme_str() != Some("https") {
                return Err(DeepLinkError::Scheme);
            }
            // The whole authority: no user in front of the host, no port behind it.
            if !authority.as_str().eq_ignore_ascii_case(&self.host) {
                return Err(DeepLinkError::Host);
            }
        }
        if link.path().trim_end_matches('/') != self.path.trim_end_matches('/') {
            return Err(DeepLinkError::Path);
        }
        let pairs = link.query().unwrap_or_default().split('&');
        let named = pairs.filter_map(|pair| pair.split_once('='));
        let mut numbers = named.filter(|(name, _)| *name == self.parameter).map(|(_, value)| value);
        match (numbers.next(), numbers.next()) {
            (None, _) => Err(DeepLinkError::NoNumber),
            (Some(number), None) => Ok(ProcessingNumber::new(number)?),
            (Some(_), Some(_)) => Err(DeepLinkError::SeveralNumbers),
        }
    }
}

impl fmt::Debug for DeepLinkFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}?{}=", self.host, self.path, self.parameter)
    }
}
