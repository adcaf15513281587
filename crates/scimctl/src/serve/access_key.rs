//! The access key id of a data directory, which its loopback endpoints require.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use scim_lambda::random;
use scim_local::private;

/// Characters of a key, each five bits.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Length of a key: 160 bits.
const LENGTH: usize = 32;

/// A random access key id in AWS's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessKey(String);

impl AccessKey {
    /// A new key.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
    pub(super) fn generate() -> anyhow::Result<Self> {
        Ok(Self(random::text(ALPHABET, LENGTH).context(
            "the operating system cannot provide random \
                                                        bytes",
        )?))
    }

    /// The key in a file. The file is created if it does not exist.
    ///
    /// # Errors
    /// If the file cannot be read or written, or does not hold a key.
    pub(super) fn open(file: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::create(file);
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", file.display()));
            }
        };
        private::close(file)
            .with_context(|| format!("{} belongs to another user", file.display()))?;
        let key = text.trim();
        let fits = key.len() == LENGTH && key.bytes().all(|byte| ALPHABET.contains(&byte));
        anyhow::ensure!(
            fits,
            "{} contains no access key; remove it, and the next start will create one",
            file.display()
        );
        Ok(Self(key.to_owned()))
    }

    /// Writes a new key to another file and moves it into place, so that a crash cannot leave a
    /// partial file.
    fn create(file: &Path) -> anyhow::Result<Self> {
        let key = Self::generate()?;
        let temporary = file.with_extension("new");
        let written = private::create(&temporary).and_then(|mut new| writeln!(new, "{}", key.0));
        let written = written.and_then(|()| fs::rename(&temporary, file));
        written.with_context(|| format!("{} cannot be written", file.display()))?;
        Ok(key)
    }

    /// Whether this is the key that was sent, compared in constant time.
    pub(super) fn is(&self, sent: &str) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), sent.as_bytes()).into()
    }

    /// The key as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
