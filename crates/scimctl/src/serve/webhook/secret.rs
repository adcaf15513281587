//! The secret that signs what is posted to a webhook, as Standard Webhooks has it.

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use scim_lambda::random;
use sha2::Sha256;

use crate::serve::kept::Kept;

const PREFIX: &str = "whsec_";
/// Length of a key, in bytes.
const LENGTH: usize = 32;
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A key of 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Kept for Secret {
    const NAME: &'static str = "webhook secret";

    fn generate() -> anyhow::Result<Self> {
        let text = random::text(ALPHABET, LENGTH * 4 / 3 + 2)
            .context("the operating system cannot provide random bytes")?;
        let mut key = STANDARD_NO_PAD.decode(text)?;
        key.truncate(LENGTH);
        Ok(Self(key))
    }

    fn read(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (key.len() == LENGTH).then_some(Self(key))
    }

    fn write(&self) -> String {
        self.reveal()
    }
}

impl Secret {
    /// The secret as text, for the receiver.
    pub(crate) fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The value of `webhook-signature` for a body that is sent with this id and time.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> anyhow::Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_example_of_the_standard_is_signed_as_there() {
        // From the documentation of Standard Webhooks' libraries; its key has 24 bytes.
        let secret = Secret(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_read_as_it_is_shown() {
        let secret = Secret::generate().unwrap();
        assert_eq!(secret.0.len(), LENGTH);
        assert_eq!(Secret::read(&secret.reveal()), Some(secret));
        for wrong in ["", "whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert_eq!(Secret::read(wrong), None);
        }
    }
}
