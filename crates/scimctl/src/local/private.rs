//! Files and directories that only their owner may read: there are people's data and keys in them.
//!
//! Files are made with their mode, so that they are closed from the first byte on; one that was
//! there before, made by an older version, gets it too.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a directory and those above it, or closes one that is there.
///
/// One that is shared by intent, such as `/tmp`, is refused: others would be shut out of it, and
/// could put files in it before.
pub(super) fn directory(path: &Path) -> io::Result<()> {
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
        return Err(io::Error::other("it is shared with others; name another one by --data DIR"));
    }
    fs::set_permissions(path, PermissionsExt::from_mode(0o700))
}

/// Makes an empty file, or empties one that is there.
pub(super) fn create(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().write(true).create(true).truncate(true), path)
}

/// Makes a file if it is not there, and changes nothing in one that is.
pub(super) fn touch(path: &Path) -> io::Result<()> {
    open(OpenOptions::new().write(true).create(true).truncate(false), path).map(drop)
}

/// Closes a file if it is there.
pub(super) fn close(path: &Path) -> io::Result<()> {
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
