//! Files and directories that only their owner may read, because they hold personal data and keys.
//!
//! A file is created with its mode, so that it is private from the first byte on. A file from an
//! older version gets the mode too.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a directory with its parents, or makes an existing one private.
///
/// # Errors
/// If the file system refuses, or if the directory is shared on purpose, like `/tmp`: other users
/// would lose access to it, and may already have put files there.
pub fn directory(path: &Path) -> io::Result<()> {
    if !path.exists() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        return builder.create(path);
    }
    #[cfg(unix)]
    close_directory(path)?;
    Ok(())
}

#[cfg(unix)]
fn close_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    const STICKY: u32 = 0o1000;
    if fs::metadata(path)?.permissions().mode() & STICKY != 0 {
        return Err(io::Error::other(
            "it is shared with other users; choose another one with --data DIR",
        ));
    }
    fs::set_permissions(path, PermissionsExt::from_mode(0o700))
}

/// Creates an empty file, or empties an existing one.
///
/// # Errors
/// If the file system refuses.
pub fn create(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().write(true).create(true).truncate(true), path)
}

/// Creates a file, or makes an existing one private without changing its content.
///
/// # Errors
/// If the file system refuses.
pub fn touch(path: &Path) -> io::Result<()> {
    open(OpenOptions::new().write(true).create(true).truncate(false), path).map(drop)
}

/// Makes a file private if it exists.
///
/// # Errors
/// If the file system refuses.
pub fn close(path: &Path) -> io::Result<()> {
    if path.exists() { touch(path) } else { Ok(()) }
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}
