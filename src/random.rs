//! Randomness from the operating system.

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// `length` characters, each drawn evenly from `alphabet` (at most 256 ASCII characters).
///
/// # Errors
/// If the operating system cannot provide random bytes.
pub fn text(alphabet: &[u8], length: usize) -> Result<String, getrandom::Error> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in bytes::<32>()?.into_iter().map(usize::from) {
            // A byte beyond the last whole multiple of the alphabet's length would favour its first
            // letters.
            if byte < fair && text.len() < length {
                text.extend(alphabet.get(byte % alphabet.len()).map(|b| char::from(*b)));
            }
        }
    }
    Ok(text)
}
