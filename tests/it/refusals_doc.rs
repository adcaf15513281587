//! The reasons of refusals: their codes, which never change, and `docs/REFUSALS.md`, which
//! `SCIM_WRITE_DOCS=1` writes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use scim_core::{Error, ErrorKind};
use scim_lambda::reason::{Idp, Reason};

/// All codes. A code may be added here; one that was released is never changed or removed, because
/// alarms, queries of logs and stored refusals name it.
const CODES: &str = include_str!("../vectors/reason-codes.txt");

/// The head of the page.
const HEAD: &str = "# Refusals

Each refused request has one of these reasons: as `reason` in the function's log, as the code that `scimctl errors` prints, and in the sentence of the answer.
A code is never renamed.

The tests write this page from the table in `src/reason`.
";

#[test]
fn the_codes_are_those_that_were_released() {
    let codes: Vec<&str> = Reason::all().map(Reason::code).collect();
    let released: BTreeSet<&str> = CODES.lines().collect();
    assert_eq!(codes.iter().copied().collect::<BTreeSet<_>>(), released);
    assert_eq!(codes.len(), released.len(), "each code once");
    for reason in Reason::all() {
        let code = reason.code();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(code.bytes().all(is_word), "{code}");
        assert_eq!(Reason::from_code(code), Some(reason));
        let error = reason.error();
        assert_eq!((Reason::of(&error), error.detail.is_empty()), (reason, false));
        for text in [reason.cause(), reason.what_to_do()] {
            assert!(text.ends_with('.'), "{code}: {text}");
        }
        let clicks = Idp::ALL.map(|idp| reason.click(idp).is_some());
        assert!(clicks == [true; 5] || clicks == [false; 5], "{code}: for each one or for none");
    }
}

/// The sources of a package, without its tests.
fn sources(folder: PathBuf, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

#[test]
fn the_sources_use_each_reason_and_no_other_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut core, mut service) = (Vec::new(), Vec::new());
    sources(root.join("crates/scim-core/src"), &mut core);
    sources(root.join("src"), &mut service);
    service.retain(|(path, _)| !path.starts_with(root.join("src/reason")));
    let mut used = BTreeSet::new();
    for (path, text) in &core {
        for word in text.split(".because(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let reason = Reason::from_code(word);
            used.insert(reason.unwrap_or_else(|| panic!("{}: {word}", path.display())));
        }
    }
    for reason in Reason::all() {
        let name = format!("Reason::{reason:?}");
        let names = |text: &String| {
            text.match_indices(&name).any(|(at, _)| {
                let next = text[at + name.len()..].chars().next();
                next.is_none_or(|next| !next.is_alphanumeric())
            })
        };
        if service.iter().any(|(_, text)| names(text)) {
            used.insert(reason);
        }
    }
    used.extend(KINDS.map(|kind| Reason::of(&Error::new(kind, ""))));
    let unused: Vec<Reason> = Reason::all().filter(|reason| !used.contains(reason)).collect();
    assert_eq!(unused, [], "remove them, or use them");
}

/// The kinds of errors whose reason is that of the kind.
const KINDS: [ErrorKind; 14] = [
    ErrorKind::InvalidFilter,
    ErrorKind::TooMany,
    ErrorKind::Uniqueness,
    ErrorKind::Mutability,
    ErrorKind::InvalidSyntax,
    ErrorKind::InvalidPath,
    ErrorKind::NoTarget,
    ErrorKind::InvalidValue,
    ErrorKind::InvalidCursor,
    ErrorKind::BadRequest,
    ErrorKind::NotFound,
    ErrorKind::RequestTimeout,
    ErrorKind::PayloadTooLarge,
    ErrorKind::Internal,
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for reason in Reason::all() {
        let _ = write!(page, "\n## `{}`\n\n", reason.code());
        let _ = writeln!(page, "Status {}.", reason.status());
        let _ = write!(page, "{}\n\n{}\n", reason.cause(), reason.what_to_do());
        for (index, idp) in Idp::ALL.into_iter().enumerate() {
            let Some(click) = reason.click(idp) else { continue };
            let name = if idp == Idp::Generic { "Another one" } else { idp.name() };
            let gap = if index == 0 { "\n" } else { "" };
            let _ = writeln!(page, "{gap}* {name}: {click}");
        }
    }
    page
}

#[test]
fn the_page_of_refusals_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REFUSALS.md");
    let page = page();
    if std::env::var_os("SCIM_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/REFUSALS.md is not the table: run with SCIM_WRITE_DOCS=1");
}
