//! The access key id of a data directory, which its loopback endpoints require.

use anyhow::Context;
use scim_lambda::random;

use super::kept::Kept;

/// Characters of a key, each five bits.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Length of a key: 160 bits.
const LENGTH: usize = 32;

/// A random access key id in AWS's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessKey(String);

impl Kept for AccessKey {
    const NAME: &'static str = "access key";

    fn generate() -> anyhow::Result<Self> {
        let key = random::text(ALPHABET, LENGTH);
        Ok(Self(key.context("the operating system cannot provide random bytes")?))
    }

    fn read(text: &str) -> Option<Self> {
        let fits = text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

impl AccessKey {
    /// Whether this is the key that was sent, compared in constant time.
    pub(super) fn is(&self, sent: &str) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), sent.as_bytes()).into()
    }

    /// The key as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
