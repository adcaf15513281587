//! What the tests of the guides share.

use scim_lambda::operator::profiles::ProfileChange;
use scim_lambda::operator::tenants::NewTenant;
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::PRESETS;
use serde_json::{Value, json};

use crate::guide::facts::{Facts, TokenEnd};
use crate::guide::page::page;
use crate::guide::source::{Choice, GUIDES, Guide};

pub(super) fn choice(guide: &'static Guide) -> Choice {
    Choice::of(guide.page).unwrap()
}

/// The profile of a new tenant.
pub(super) fn profile(preset: &str, idp: &str, settings: Value) -> Profile {
    let change = ProfileChange {
        preset: Some(preset.to_owned()),
        idp: Some(idp.to_owned()),
        document: Some(settings),
        settings: Vec::new(),
    };
    let new = NewTenant { name: "acme".into(), profile: change, ..NewTenant::default() };
    new.starting_profile().unwrap()
}

pub(super) fn facts(profile: Profile) -> Facts {
    Facts {
        product: None,
        tenant: "acme".to_owned(),
        base_url: Some("https://scim.example.com/scim/v2".to_owned()),
        token: None,
        token_end: TokenEnd::Unknown,
        retention_days: None,
        profile,
    }
}

/// The page of a guide for a new tenant of a preset.
pub(super) fn made(guide: &'static Guide, preset: &str) -> String {
    page(choice(guide), &facts(profile(preset, guide.idp, json!({})))).unwrap()
}

/// The page for Entra ID under a profile with these settings.
pub(super) fn restricted(settings: Value) -> String {
    let facts = facts(profile("default", "entra", settings));
    page(Choice::of("entra").unwrap(), &facts).unwrap()
}

/// Each guide with each preset.
pub(super) fn all() -> impl Iterator<Item = (&'static Guide, &'static str, String)> {
    GUIDES.iter().flat_map(|guide| {
        PRESETS.iter().map(move |(preset, _)| (guide, *preset, made(guide, preset)))
    })
}

/// A section, without its heading.
pub(super) fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let begin = format!("\n## {heading}\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{heading}: {page}"));
    rest.split("\n## ").next().unwrap()
}

/// The cells of the first table in a section, without its header.
pub(super) fn rows(section: &str) -> Vec<Vec<String>> {
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let lines = lines.take_while(|line| line.starts_with('|')).skip(2);
    // A bar within a cell has a backslash.
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    lines.map(cells).collect()
}

/// The code in a text.
pub(super) fn codes(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
