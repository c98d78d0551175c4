//! Texts by key and language, from resource files.
//!
//! A rule table names keys; only a [`MessageSet`] knows words. It is complete by construction: each
//! language has each key, with the same placeholders.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::document::{self, DocumentError};

/// The version of a message file.
pub const MESSAGES_FORMAT_VERSION: u32 = 1;

/// Names a text: lower-case letters, digits and `_`, at most 64 of them, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageKey(String);

impl MessageKey {
    /// The key of the sentence without which nobody is told anything.
    pub const NOT_NECESSARILY_INFECTED: &str = "not_necessarily_infected";

    /// The key as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageKey {
    type Error = MessageError;
    fn try_from(key: String) -> Result<Self, MessageError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let letter_first = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if letter_first && key.len() <= 64 && key.bytes().all(allowed) {
            Ok(Self(key))
        } else {
            Err(MessageError::Key(key))
        }
    }
}

impl From<MessageKey> for String {
    fn from(key: MessageKey) -> Self {
        key.0
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A language tag as in `ja` or `pt-BR` (BCP 47; only its characters are checked).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageTag(String);

impl TryFrom<String> for LanguageTag {
    type Error = MessageError;
    fn try_from(tag: String) -> Result<Self, MessageError> {
        let letters_first = tag.bytes().take(2).filter(u8::is_ascii_alphabetic).count() == 2;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if letters_first && tag.len() <= 35 && tag.bytes().all(allowed) {
            Ok(Self(tag))
        } else {
            Err(MessageError::Language(tag))
        }
    }
}

impl From<LanguageTag> for String {
    fn from(tag: LanguageTag) -> Self {
        tag.0
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands in braces in a text and is filled in when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Placeholder {
    /// `{days}`: the number of days of care after a contact.
    Days,
    /// `{until}`: the last of these days.
    Until,
}

impl Placeholder {
    fn named(name: &str) -> Option<Self> {
        match name {
            "days" => Some(Self::Days),
            "until" => Some(Self::Until),
            _ => None,
        }
    }
}

/// What is wrong with texts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The file is not a message file of a known version.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Not a key.
    #[error("{0:?} is not a message key")]
    Key(String),
    /// Not a language tag.
    #[error("{0:?} is not a language tag")]
    Language(String),
    /// A text with nothing in it.
    #[error("{language}: {key} has no text")]
    Empty {
        /// Of which language.
        language: LanguageTag,
        /// Of which key.
        key: MessageKey,
    },
    /// A brace without its partner, or a placeholder nobody fills in.
    #[error("{language}: {key} has a brace that is no placeholder")]
    Brace {
        /// Of which language.
        language: LanguageTag,
        /// Of which key.
        key: MessageKey,
    },
    /// No file at all.
    #[error("no language")]
    NoLanguage,
    /// One language has a key that another one has not.
    #[error("{key} is missing in {language}")]
    Missing {
        /// The language without it.
        language: LanguageTag,
        /// The key.
        key: MessageKey,
    },
    /// The placeholders of a text differ between two languages.
    #[error("{key} has other placeholders in {language} than in {other}")]
    Placeholders {
        /// The key.
        key: MessageKey,
        /// One language.
        language: LanguageTag,
        /// Another one.
        other: LanguageTag,
    },
}

/// A text cut at its placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Words(String),
    Filled(Placeholder),
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        pieces.extend([Piece::Words(words.to_owned()), Piece::Filled(Placeholder::named(name)?)]);
        rest = after;
    }
    pieces.push(Piece::Words(rest.to_owned()));
    let closing = |piece: &Piece| matches!(piece, Piece::Words(words) if words.contains('}'));
    (!pieces.iter().any(closing)).then_some(pieces)
}

fn placeholders(pieces: &[Piece]) -> BTreeSet<Placeholder> {
    let filled = |piece: &Piece| match piece {
        Piece::Filled(placeholder) => Some(*placeholder),
        Piece::Words(_) => None,
    };
    pieces.iter().filter_map(filled).collect()
}

type Texts = BTreeMap<MessageKey, Vec<Piece>>;

/// The texts of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFile {
    language: LanguageTag,
    texts: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageDocument {
    #[serde(rename = "format_version")]
    _format_version: u32,
    language: LanguageTag,
    messages: OnceEach,
}

/// A map in which a key that stands twice is an error and not a silent choice.
struct OnceEach(BTreeMap<MessageKey, String>);

impl<'de> Deserialize<'de> for OnceEach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = OnceEach;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by key")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OnceEach, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((key, text)) = map.next_entry::<MessageKey, String>()? {
                    let shown = key.to_string();
                    if texts.insert(key, text).is_some() {
                        return Err(A::Error::custom(format_args!("{shown} stands twice")));
                    }
                }
                Ok(OnceEach(texts))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl MessageFile {
    /// Reads a file: `{"format_version": 1, "language": "ja", "messages": {key: text, …}}`.
    ///
    /// # Errors
    /// [`MessageError`] for a document of another shape or version, a key or language that is
    /// none, a key that stands twice, an empty text, a brace that is no [`Placeholder`].
    pub fn read(json: &str) -> Result<Self, MessageError> {
        let document: MessageDocument = document::read(json, MESSAGES_FORMAT_VERSION)?;
        let language = document.language;
        let mut texts = BTreeMap::new();
        for (key, text) in document.messages.0 {
            if text.trim().is_empty() {
                return Err(MessageError::Empty { language, key });
            }
            let Some(pieces) = pieces(&text) else {
                return Err(MessageError::Brace { language, key });
            };
            texts.insert(key, pieces);
        }
        Ok(Self { language, texts })
    }

    /// The library's own texts, Japanese and English.
    #[must_use]
    pub fn builtin() -> [Self; 2] {
        [
            include_str!("../../resources/guidance/messages.ja.json"),
            include_str!("../../resources/guidance/messages.en.json"),
        ]
        .map(|json| Self::read(json).expect("tests read the library's own files"))
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> &LanguageTag {
        &self.language
    }

    /// Its keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &MessageKey> {
        self.texts.keys()
    }
}

/// What is filled into a text.
#[derive(Clone, Copy, Debug)]
pub struct PlaceholderValues<'a> {
    /// For `{days}`.
    pub days: u32,
    /// For `{until}`: the date as the host's calendar and language write it.
    pub until: &'a str,
}

/// Texts in one or more languages, each with the same keys and placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSet {
    languages: BTreeMap<LanguageTag, Texts>,
}

impl MessageSet {
    /// The files together. Of two files of one language the later one's texts replace the
    /// earlier one's; so an app lays its own over [`MessageFile::builtin`], and adds keys or
    /// languages.
    ///
    /// # Errors
    /// [`MessageError::NoLanguage`], [`MessageError::Missing`] if one language has a key that
    /// another has not, [`MessageError::Placeholders`] if they do not agree.
    pub fn new(files: impl IntoIterator<Item = MessageFile>) -> Result<Self, MessageError> {
        let mut languages: BTreeMap<LanguageTag, Texts> = BTreeMap::new();
        for file in files {
            languages.entry(file.language).or_default().extend(file.texts);
        }
        let (first, _) = languages.first_key_value().ok_or(MessageError::NoLanguage)?;
        let keys: BTreeSet<&MessageKey> = languages.values().flat_map(Texts::keys).collect();
        for key in keys {
            let mut expected = None;
            for (language, texts) in &languages {
                let Some(pieces) = texts.get(key) else {
                    let (language, key) = (language.clone(), key.clone());
                    return Err(MessageError::Missing { language, key });
                };
                let found = placeholders(pieces);
                if *expected.get_or_insert_with(|| found.clone()) != found {
                    let (key, language, other) = (key.clone(), language.clone(), first.clone());
                    return Err(MessageError::Placeholders { key, language, other });
                }
            }
        }
        Ok(Self { languages })
    }

    /// The library's own texts.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(MessageFile::builtin()).expect("tests compare the library's own files")
    }

    /// The languages, in order of their tags.
    pub fn languages(&self) -> impl Iterator<Item = &LanguageTag> {
        self.languages.keys()
    }

    /// The keys, in order; the same in each language.
    pub fn keys(&self) -> impl Iterator<Item = &MessageKey> {
        self.languages.values().next().into_iter().flat_map(Texts::keys)
    }

    /// Whether there is a text for `key`.
    #[must_use]
    pub fn contains(&self, key: &MessageKey) -> bool {
        self.languages.values().all(|texts| texts.contains_key(key))
    }

    /// The text of `key` in `language`, filled in; `None` if there is no such text or language.
    #[must_use]
    pub fn text(
        &self,
        language: &str,
        key: &MessageKey,
        values: PlaceholderValues<'_>,
    ) -> Option<String> {
        let (_, texts) = self.languages.iter().find(|(tag, _)| tag.0 == language)?;
        let filled = texts.get(key)?.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Filled(Placeholder::Days) => values.days.to_string(),
            Piece::Filled(Placeholder::Until) => values.until.to_string(),
        });
        Some(filled.collect())
    }
}
