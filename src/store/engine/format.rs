//! The versions of the format of rows.
//!
//! Two releases run side by side during a deployment, and after it if the operator goes back. So:
//!
//! * a release reads a format before any release writes it;
//! * a writer keeps the attributes that it does not know;
//! * a row of a newer format is neither read nor written.
//!
//! A release that reads a newer format than it writes must turn a row of that format back into its
//! own when it writes the row whole, as [`super::transaction::Transaction::set`] gives the row the
//! format of the release.

/// The newest format that this release reads. It leaves rows of a newer one alone.
pub(crate) const KNOWN_FORMAT: i64 = 1;
/// The format that this release writes. The release before it must read it, because both run side
/// by side during a deployment.
pub(crate) const WRITTEN_FORMAT: i64 = 1;

const _: () = assert!(WRITTEN_FORMAT <= KNOWN_FORMAT);
