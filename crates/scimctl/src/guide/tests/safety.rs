//! Texts of others, HTML, and the token.

use serde_json::json;

use super::support::{all, choice, facts, profile};
use crate::guide::facts::{Facts, TokenEnd};
use crate::guide::html::html;
use crate::guide::page::page;
use crate::guide::source::{Choice, GUIDES};

#[test]
fn texts_of_others_are_text_in_markdown_and_in_html() {
    let script = "<script>alert(1)</script>";
    let profile = profile(
        "default",
        "entra",
        json!({ "attributes": { "overlay": [{
            "name": "role", "type": "string", "closed": true,
            "canonicalValues": [script, "a|b", "`x`"],
        }] } }),
    );
    let facts = Facts {
        product: Some(format!("{script}|*a*[b](javascript:c)\n# d")),
        tenant: script.to_owned(),
        base_url: Some(format!("https://x/{script}")),
        token: Some("`<i>`".to_owned()),
        token_end: TokenEnd::Never,
        retention_days: None,
        profile,
    };
    for guide in GUIDES {
        let html = html(&page(choice(guide), &facts).unwrap());
        assert!(!html.contains("<script") && !html.contains("<i>"), "{html}");
        assert!(!html.contains("href=\"javascript") && !html.contains("<em>a"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert_eq!(html.matches("<h1").count(), 1, "{}", guide.page);
        assert!(html.contains("<code>a|b</code>"), "{}", guide.page);
        balanced(&html);
    }
}

/// Checks that each element of a page ends where it should.
fn balanced(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in html.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap();
        let name = tag.split(' ').next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{html}");
        } else if !["!doctype", "meta"].contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_of_html_is_whole_and_its_links_lead_somewhere() {
    for (guide, preset, page) in all() {
        let html = html(&page);
        balanced(&html);
        for part in [
            "<!doctype html>",
            "<html lang=\"en\">",
            "name=\"viewport\"",
            "color-scheme:light dark",
            "<main>",
            "<ol>",
            "<table>",
            "<th>",
            "<h1 id=",
        ] {
            assert!(html.contains(part), "{}, {preset}: {part}", guide.page);
        }
        let title = html.split("<title>").nth(1).unwrap().split('<').next().unwrap();
        assert!(title.starts_with("Connect "), "{title}");
        let links = html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links {
            assert!(html.contains(&format!(" id=\"{link}\"")), "{}: #{link}", guide.page);
        }
        assert!(!html.contains("<script") && !html.contains("src="), "{}", guide.page);
    }
}

#[test]
fn the_token_is_on_the_page_only_if_it_is_given() {
    let choice = Choice::of("okta").unwrap();
    let mut facts = facts(profile("default", "okta", json!({})));
    let page_without = page(choice, &facts).unwrap();
    assert!(page_without.contains("not on this page"), "{page_without}");
    facts.token = Some("scim_abc".to_owned());
    facts.product = Some("Contoso".to_owned());
    facts.token_end = TokenEnd::At(1_800_000_000);
    let page = page(choice, &facts).unwrap();
    assert!(page.contains("| Token | `scim_abc`; keep it secret |"), "{page}");
    assert!(page.contains("The token ends on 2027-01-15;"), "{page}");
    let (guide, _) = page.split_once("## If something is refused").unwrap();
    assert!(guide.contains("# Connect Okta to Contoso") && !guide.contains("the product"));
}
