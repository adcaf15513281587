//! The canonical form in which userNames and e-mail addresses are compared.

use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{Nickname, UsernameCaseMapped};

use crate::error::Error;

/// The longest userName or e-mail address, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;

/// The canonical form of a userName.
///
/// "Before comparing or evaluating the uniqueness of a "userName" or "password" attribute, service
/// providers MUST use the preparation, enforcement, and comparison of internationalized strings
/// (PRECIS) preparation and comparison rules" (RFC 7644, 5). The rules are those of the profile
/// UsernameCaseMapped of RFC 8265: case and width are folded, and the text is normalised.
///
/// RFC 8265 refuses spaces and compatibility characters. Names that contain them, such as "Barbara
/// Jensen", are compared as nicknames of RFC 8266: spaces collapsed, NFKC, case folded.
///
/// # Errors
/// `invalidValue` if the name is empty, is longer than [`MAX_NAME_BYTES`], or contains control
/// characters, bidirectional overrides, zero-width or unassigned characters: names that look alike
/// must not belong to different accounts.
pub fn user_name(name: &str) -> Result<String, Error> {
    fold(name, "userName")
}

/// The canonical form of an e-mail address, by the same rule as [`user_name`].
///
/// # Errors
/// The same as those of [`user_name`].
pub fn email(address: &str) -> Result<String, Error> {
    fold(address, "emails.value")
}

fn fold(text: &str, attribute: &str) -> Result<String, Error> {
    if text.len() > MAX_NAME_BYTES {
        return Err(Error::invalid_value(format!(
            "{attribute} is longer than {MAX_NAME_BYTES} bytes; map a shorter value to it."
        ))
        .because("too-long")
        .at(attribute));
    }
    if text.is_ascii() && text.bytes().all(|b| b.is_ascii_graphic()) && !text.is_empty() {
        // This is all that PRECIS does to printable ASCII without blanks.
        return Ok(text.to_ascii_lowercase());
    }
    if let Ok(folded) = UsernameCaseMapped::enforce(text) {
        return Ok(folded.into_owned());
    }
    let refused = || {
        Error::invalid_value(format!(
            "{attribute} is blank, or contains characters that cannot be compared safely (control, \
            invisible or unassigned ones); send it without them."
        ))
        .because("unsafe-characters")
        .at(attribute)
    };
    if text.chars().any(is_invisible) {
        return Err(refused());
    }
    let folded = Nickname::enforce(text).map_err(|_| refused())?;
    let folded = folded.to_lowercase();
    if folded.is_empty() { Err(refused()) } else { Ok(folded) }
}

/// Control characters, zero-width characters and bidirectional marks.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_width_or_composition_are_equal() {
        for (a, b) in [
            ("Bjensen@Example.com", "bjensen@example.com"),
            ("\u{ff41}bc", "abc"),
            ("e\u{301}va", "\u{e9}va"),
            ("Barbara  Jensen", "barbara jensen"),
            (" Barbara Jensen ", "barbara jensen"),
        ] {
            assert_eq!(user_name(a), user_name(b), "{a} {b}");
        }
    }

    #[test]
    fn names_that_only_look_alike_differ() {
        assert_ne!(user_name("m\u{131}ke@example.com"), user_name("mike@example.com"));
        assert_ne!(user_name("a b"), user_name("ab"));
    }

    #[test]
    fn names_with_invisible_characters_are_refused() {
        for name in ["", " ", "a\u{0}b", "a\u{200b}b", "a\u{202e}b", "a\u{200d}b", "a\tb"] {
            assert!(user_name(name).is_err(), "{name:?}");
        }
        assert!(user_name(&"x".repeat(257)).is_err());
        assert!(user_name(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn the_shortcut_for_ascii_agrees_with_precis() {
        for byte in 0x21..=0x7eu8 {
            let name = format!("a{}b", byte as char);
            assert_eq!(
                UsernameCaseMapped::enforce(name.as_str()).as_deref(),
                Ok(user_name(&name).unwrap().as_str())
            );
        }
    }
}
