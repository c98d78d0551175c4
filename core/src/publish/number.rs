//! The number or code that entitles its holder to publish.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Why a text is no processing number. No variant holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Nothing was entered.
    #[error("the processing number is empty")]
    Empty,
    /// A character that is no digit.
    #[error("character {position} of the processing number is not a digit")]
    NotADigit {
        /// Which character, counted from 1.
        position: usize,
    },
    /// Too few or too many digits.
    #[error("the processing number has {digits} digits instead of 8")]
    Length {
        /// How many there are.
        digits: usize,
    },
}

/// COCOA's processing number (処理番号): eight digits (`\A[0-9]{8}\z`). `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ProcessingNumber(String);

impl ProcessingNumber {
    /// A number as a machine writes it: eight ASCII digits and nothing else.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, NumberError> {
        let not_a_digit = |c: char| !c.is_ascii_digit();
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        if let Some(index) = text.chars().position(not_a_digit) {
            return Err(NumberError::NotADigit { position: index + 1 });
        }
        match text.len() {
            8 => Ok(Self(text.to_owned())),
            digits => Err(NumberError::Length { digits }),
        }
    }

    /// A number as a person types or pastes it: full-width digits, spaces and hyphens between or
    /// around them are what a Japanese keyboard and a copied message bring along.
    ///
    /// # Errors
    /// Why it is none; positions are those of the typed text.
    pub fn from_typed(text: &str) -> Result<Self, NumberError> {
        let mut digits = String::with_capacity(8);
        for (index, character) in text.chars().enumerate() {
            match character {
                '0'..='9' => digits.push(character),
                '０'..='９' => {
                    let value = u32::from(character) - u32::from('０');
                    digits.extend(char::from_digit(value, 10));
                }
                '-' | '－' | 'ー' | '‐' => {}
                _ if character.is_whitespace() => {}
                _ => {
                    digits.zeroize();
                    return Err(NumberError::NotADigit { position: index + 1 });
                }
            }
        }
        let number = Self::new(&digits);
        digits.zeroize();
        number
    }

    /// The eight digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProcessingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessingNumber(..)")
    }
}

/// A code that is not 4 to 64 ASCII letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a verification code is 4 to 64 ASCII letters and digits")]
pub struct CodeError;

/// What entitles to publish, whatever the server calls it: a processing number, or the code that
/// a verification server exchanges for a certificate. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerificationCode(String);

impl VerificationCode {
    /// A code of 4 to 64 ASCII letters and digits. Exposure-notifications-verification-server
    /// issues 8 digits for typing and 16 letters and digits for links; the bounds are ours.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn new(text: &str) -> Result<Self, CodeError> {
        let is_code =
            (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_code { Ok(Self(text.to_owned())) } else { Err(CodeError) }
    }

    /// What a decoy carries: eight digits that no server issues.
    pub(super) fn of_a_decoy() -> Self {
        Self("00000000".to_owned())
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<ProcessingNumber> for VerificationCode {
    fn from(number: ProcessingNumber) -> Self {
        Self(number.0.clone())
    }
}

impl TryFrom<String> for VerificationCode {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::new(&text)
    }
}

impl From<VerificationCode> for String {
    fn from(code: VerificationCode) -> Self {
        code.0.clone()
    }
}

impl fmt::Debug for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerificationCode(..)")
    }
}
