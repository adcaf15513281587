//! The pages in `docs/idp`.

use std::path::PathBuf;

use scim_lambda::tenant::profile::IDPS;
use serde_json::Value;

use super::support::made;
use crate::guide::source::{Choice, GUIDES};
use crate::guide::text::table;

/// Writes the pages in `docs/idp`, in place of a comparison.
const WRITE: &str = "SCIM_WRITE_DOCS";

fn documents() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/idp")
}

/// Holds a document to a text, or writes it.
fn hold(name: &str, text: &str) {
    let path = documents().join(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/idp/{name} is not what the tool writes: {WRITE}=1 writes it");
}

#[test]
fn the_documents_are_what_the_tool_writes_for_a_new_tenant() {
    for guide in GUIDES {
        hold(&format!("{}.md", guide.page), &made(guide, "default"));
    }
}

#[test]
fn the_index_lists_each_guide() {
    let index = std::fs::read_to_string(documents().join("README.md")).unwrap();
    let (begin, end) = ("<!-- guides -->\n", "<!-- end of guides -->");
    let (before, rest) = index.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let rows = GUIDES.iter().map(|guide| {
        let name = if guide.page == "generic" { "any other one" } else { guide.name };
        let link = format!("[{0}.md]({0}.md)", guide.page);
        vec![name.to_owned(), link, format!("`{}`", guide.idp), guide.tested.to_owned()]
    });
    let header = ["identity provider", "page", "`--idp`", "tested with"];
    let rows = table(&header, rows);
    hold("README.md", &format!("{before}{begin}\n{rows}\n\n{end}{after}"));
}

#[test]
fn every_identity_provider_has_a_guide() {
    let idps: Value = serde_json::from_str(IDPS).unwrap();
    for idp in idps.as_object().unwrap().keys() {
        assert_eq!(Choice::of(idp).unwrap().idp, idp, "a guide for the dialect {idp}");
    }
    for guide in GUIDES {
        let found = Choice::of(guide.page).unwrap();
        assert_eq!((found.guide.page, found.idp), (guide.page, guide.idp));
        assert!(idps.get(guide.idp).is_some(), "{}: the dialect {}", guide.page, guide.idp);
        let pages = guide.pages();
        assert!(pages.iter().all(|page| page.starts_with("https://")), "{pages:?}");
        assert!(!pages.is_empty(), "{} names the vendor's pages", guide.page);
    }
    let said = Choice::of("entraid").unwrap_err().to_string();
    assert!(said.contains("no guide for entraid") && said.contains("google-workspace"), "{said}");
}
