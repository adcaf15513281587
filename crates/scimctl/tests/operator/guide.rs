//! The page for a customer's administrator.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Directory, Server, answer_of};

#[test]
fn the_guide_of_a_tenant_names_its_url_and_not_its_token() {
    let directory = Directory::new("guide");
    let url = "https://scim.example.com/scim/v2";
    let create = ["tenant", "create", "acme", "--idp", "okta", "--base-url", url, "seats.limit=7"];
    let created = directory.json(&create);
    let token = created["token"].as_str().unwrap();
    let ends = created["expires"].as_str().unwrap().split('T').next().unwrap();
    let page = directory.text(&["tenant", "guide", "acme", "--product", "Contoso"]);
    assert!(page.starts_with("# Connect Okta to Contoso\n"), "{page}");
    for text in [
        url,
        "Contoso has 7 seats",
        "`acme`",
        "`--idp okta`",
        &format!("The token ends on {ends};"),
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains(token), "the token is on no page");
    let object = directory.json(&["tenant", "guide", "acme", "--product", "Contoso"]);
    assert_eq!(object["guide"], "okta");
    assert_eq!(object["page"].as_str().unwrap().trim_end(), page.trim_end());
    let said = directory.refused(&["tenant", "guide", "acme", "--with-token"]);
    assert!(said.contains("token.reveal=again") && !said.contains(token), "{said}");
    let said = directory.refused(&["tenant", "guide", "nobody"]);
    assert!(said.contains("nobody"), "{said}");
    let said = directory.refused(&["tenant", "guide", "acme", "--idp", "ldap"]);
    assert!(said.contains("no guide for ldap; take one of: entra, okta"), "{said}");
}

#[test]
fn another_identity_provider_and_a_tenant_without_one_are_told_to_the_operator() {
    let directory = Directory::new("guide-idp");
    directory.json(&["tenant", "create", "acme"]);
    let output = directory.run(&["tenant", "guide", "acme", "--idp", "google"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("scimctl profile set acme --idp google"), "{said}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with("# Connect Google Workspace to the product\n"), "{page}");
    let output = directory.run(&["tenant", "guide", "acme"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("docs/idp/TUNNEL.md"), "{said}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("has the profile `default` and no dialect; `scimctl profile set acme"));
    assert!(page.starts_with("# Connect your identity provider to the product\n"), "{page}");
    let page = directory.text(&["tenant", "guide", "acme", "--idp", "sailpoint"]);
    assert!(page.starts_with("# Connect SailPoint to the product\n"), "{page}");
}

#[test]
fn a_page_of_html_goes_to_a_file_that_only_this_user_reads() {
    let directory = Directory::new("guide-html");
    let create = ["tenant", "create", "acme", "--idp", "entra", "token.reveal=again"];
    let created = directory.json(&create);
    let token = created["token"].as_str().unwrap();
    let file = directory.0.join("entra.html");
    let file = file.to_str().unwrap();
    let guide = ["tenant", "guide", "acme", "--format", "html", "--with-token", "--output", file];
    let said = directory.text(&guide);
    assert_eq!(said, format!("The guide entra for acme is in {file}.\n"));
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains(token), "{html}");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let log = directory.text(&["log", "acme"]);
    assert!(log.contains("reveal"), "showing the token is in the log: {log}");
    let said = directory.refused(&guide);
    assert!(said.contains("--force"), "{said}");
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
    directory.text(&[&guide[..], &["--force"]].concat());
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "also a file that was there");
}

#[test]
fn a_tenant_behind_a_tunnel_answers_with_the_tunnels_address() {
    let directory = Directory::new("tunnel");
    let mut server = Server::start(&directory, &["--json"]);
    let served = server.ready();
    let url = "https://abc.example.com/scim/v2";
    let created = directory.json(&["tenant", "create", "try", "--idp", "entra", "--base-url", url]);
    let token = created["token"].as_str().unwrap();
    let page = directory.text(&["tenant", "guide", "try"]);
    assert!(page.contains(&format!("| Base URL | `{url}` |")), "{page}");
    let local = served["base_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let (address, path) = local.split_once('/').unwrap();
    // Some tunnels keep the name, and others write that of the laptop.
    for (host, name) in [("abc.example.com", "anna"), (address, "ben")] {
        let mut stream = TcpStream::connect(address).unwrap();
        let body = format!("{{\"userName\":\"{name}@example.com\"}}");
        write!(
            stream,
            "POST /{path}/Users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Type: application/scim+json\r\nContent-Length: \
             {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (status, _, user) = answer_of(stream);
        assert_eq!(status, 201, "{user}");
        let location = user["meta"]["location"].as_str().unwrap();
        assert!(location.starts_with(url), "{location}");
    }
    let set = "address.base_url=https://def.example.com/scim/v2";
    directory.json(&["profile", "set", "try", set]);
    directory.json(&["tenant", "disable", "try"]);
    assert!(server.interrupt());
}
