//! The access key id of a data directory: what the loopback endpoints want to see before they
//! answer.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use scim_lambda::random;

/// Characters of a key, each five bits.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Length of a key: 160 bits.
const LENGTH: usize = 32;

/// A random access key id, in the form of AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey(String);

impl AccessKey {
    /// A key that nobody had before.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> anyhow::Result<Self> {
        Ok(Self(random::text(ALPHABET, LENGTH).context("the system gives no random bytes")?))
    }

    /// The key in a file, which is made if it is not there.
    ///
    /// # Errors
    /// If the file cannot be read or written, or holds no key.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::make(file),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", file.display()));
            }
        };
        super::private::close(file).with_context(|| format!("{} is not yours", file.display()))?;
        let key = text.trim();
        let fits = key.len() == LENGTH && key.bytes().all(|byte| ALPHABET.contains(&byte));
        anyhow::ensure!(
            fits,
            "{} holds no access key; remove it, and the next start makes one",
            file.display()
        );
        Ok(Self(key.to_owned()))
    }

    /// Writes a new key beside the file and moves it into place, so that a crash leaves no half of
    /// one.
    fn make(file: &Path) -> anyhow::Result<Self> {
        let key = Self::generate()?;
        let beside = file.with_extension("new");
        let written =
            super::private::create(&beside).and_then(|mut new| writeln!(new, "{}", key.0));
        let written = written.and_then(|()| fs::rename(&beside, file));
        written.with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(key)
    }

    /// Whether somebody sent this key. The time it takes says nothing about the key.
    pub fn is(&self, sent: &str) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), sent.as_bytes()).into()
    }

    /// The key, for those who may know it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
