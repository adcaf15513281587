//! The `Authorization` header.

use scim_core::Error;

use super::token::PlainToken;
use crate::reason::Reason;

/// What comes before a token in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// The word Bearer.
    Bearer,
    /// Nothing.
    None,
}

/// The token in the `Authorization` headers of a request.
///
/// # Errors
/// 401 unless there is exactly one such header, of scheme Bearer or none, with a token in the form
/// of this service's tokens.
pub(super) fn read<'h>(
    mut headers: impl Iterator<Item = &'h [u8]>,
) -> Result<(PlainToken, Scheme), Error> {
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(Reason::TokenMissing.error());
    };
    let header = std::str::from_utf8(header).unwrap_or_default().trim();
    if let Some(token) = PlainToken::parse(header) {
        return Ok((token, Scheme::None));
    }
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(Reason::SchemeMissing.error()),
    };
    let token = PlainToken::parse(token).ok_or_else(|| Reason::TokenRefused.error())?;
    Ok((token, Scheme::Bearer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_header_counts() {
        let token = PlainToken::generate(&"abcd1234".parse().unwrap()).unwrap();
        let header = format!("bearer  {}", token.reveal());
        let read = |headers: &[&str]| {
            super::read(headers.iter().map(|header| header.as_bytes()))
                .map_err(|error| error.kind.wire().0)
        };
        assert_eq!(read(&[header.as_str()]), Ok((token.clone(), Scheme::Bearer)));
        assert_eq!(read(&[token.reveal()]), Ok((token.clone(), Scheme::None)));
        let header = header.as_str();
        for wrong in [
            &[][..],
            &[header, header],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Basic eA=="],
            &["non-token"],
        ] {
            assert_eq!(read(wrong).err(), Some(401), "{wrong:?}");
        }
    }
}
