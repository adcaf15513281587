//! Secrets of a data directory that are made once and kept in a file for its owner alone.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context;
use scim_local::private;

/// Something that is kept as one line of text.
pub(super) trait Kept: Sized {
    /// What it is called in a message.
    const NAME: &'static str;

    /// A new one.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
    fn generate() -> anyhow::Result<Self>;

    /// Reads it as [`Kept::write`] writes it; `None` for another text.
    fn read(text: &str) -> Option<Self>;

    /// The line of text.
    fn write(&self) -> String;
}

/// What a file holds. The file is created if it does not exist.
///
/// # Errors
/// If the file cannot be read or written, belongs to another user, or holds something else.
pub(super) fn open<T: Kept>(file: &Path) -> anyhow::Result<T> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return create(file),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", file.display()));
        }
    };
    private::close(file).with_context(|| format!("{} belongs to another user", file.display()))?;
    T::read(text.trim()).with_context(|| {
        format!(
            "{} contains no {}; remove it, and the next start will create one",
            file.display(),
            T::NAME
        )
    })
}

/// Writes a new one to another file and moves it into place, so that a crash cannot leave a partial
/// file.
fn create<T: Kept>(file: &Path) -> anyhow::Result<T> {
    let new = T::generate()?;
    let temporary = file.with_extension("new");
    let written = private::create(&temporary).and_then(|mut to| writeln!(to, "{}", new.write()));
    let written = written.and_then(|()| fs::rename(&temporary, file));
    written.with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(new)
}
