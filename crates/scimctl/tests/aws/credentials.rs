//! Profiles and credentials of every kind. If they are missing, the tool says what to do.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::account::{Account, GOOD_SESSION, failure};

const URL: &str = "https://acme.awsapps.com/start";

/// The names of the cached tokens: digests of the start URL and of the session's name.
const CACHED: [&str; 2] =
    ["40169cea58ca6cbf23fb27b2542923fb5f524af0", "293abb6b76d7791c0732cc517d38c4b5c734b87f"];

/// What the tool says with this profile.
fn refused(account: &Account, profile: &str) -> String {
    let list = ["--stack", "scim", "--aws-profile", profile, "tenant", "list"];
    failure(&account.command(&list).output().unwrap())
}

/// Has a token in the cache of the AWS CLI, as `aws sso login` leaves it there.
fn cache(account: &Account, token: &str, expires: &str) {
    let cache = account.directory.0.join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = json!({
        "accessToken": token, "expiresAt": expires, "region": "eu-central-1", "startUrl": URL,
    });
    for name in CACHED {
        std::fs::write(cache.join(format!("{name}.json")), token.to_string()).unwrap();
    }
}

#[test]
fn a_session_of_identity_center_is_used_and_its_end_names_the_command_that_renews_it() {
    let account = Account::new("sso");
    let role = "sso_account_id = 123456789012\nsso_role_name = reader\nregion = eu-central-1\n";
    let url = URL;
    account.directory.file(
        "config",
        &format!(
            "[profile old]\nsso_start_url = {url}\nsso_region = eu-central-1\n{role}\
             [profile office]\nsso_session = acme\n{role}\
             [sso-session acme]\nsso_start_url = {url}\nsso_region = eu-central-1\n"
        ),
    );
    let says = |profile: &str| {
        let said = refused(&account, profile);
        assert!(
            said.contains(&format!("log in with aws sso login --profile {profile} ")),
            "{said}"
        );
    };
    says("old");
    says("office");
    cache(&account, "t", "2020-01-01T00:00:00Z");
    says("old");
    says("office");
    // AWS may end a session before its time.
    cache(&account, "t", "2096-01-01T00:00:00Z");
    says("old");
    says("office");
    assert!(account.calls().is_empty());

    cache(&account, GOOD_SESSION, "2096-01-01T00:00:00Z");
    for profile in ["old", "office"] {
        let list = ["--stack", "scim", "--aws-profile", profile, "tenant", "list"];
        let listed = account.command(&list).output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        assert!(account.calls().len() > 2);
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let account = Account::new("missing");
    let said = refused(&account, "nobody");
    assert!(said.contains("no profile nobody; aws configure list-profiles"), "{said}");
    account.directory.file(
        "config",
        "[profile bare]\nregion = eu-central-1\n[profile nowhere]\ncredential_process = sh \
         keys.sh\n\
         [profile broken]\nregion = eu-central-1\ncredential_process = echo no keys; exit 3\n",
    );
    let said = refused(&account, "nowhere");
    assert!(said.contains("profile nowhere has none; add --region"), "{said}");
    let said = refused(&account, "bare");
    assert!(said.contains("no AWS credentials were found with profile bare"), "{said}");
    let said = refused(&account, "broken");
    assert!(said.contains("credentials of profile broken cannot be had"), "{said}");
}

#[test]
fn a_profile_that_is_named_wins_over_keys_in_the_environment() {
    let account = Account::new("order");
    let run = |arguments: &[&str]| {
        let mut command = account.command(&[&["--stack", "scim"], arguments].concat());
        command.envs([("AWS_ACCESS_KEY_ID", "other"), ("AWS_SECRET_ACCESS_KEY", "x")]);
        command.output().unwrap()
    };
    let named = run(&["--aws-profile", "default", "tenant", "list"]);
    assert!(named.status.success(), "{}", String::from_utf8_lossy(&named.stderr));
    let said = failure(&run(&["tenant", "list"]));
    assert!(said.contains("does not accept the keys in the environment"), "{said}");
}

#[test]
fn the_name_of_a_profile_says_nothing_about_its_kind() {
    let account = Account::new("names");
    for name in ["x-sso", "sso token", "cached token"] {
        let said = refused(&account, name);
        assert!(said.contains(&format!("no profile {name}; aws configure list")), "{said}");
    }
    account.directory.file(
        "config",
        "[profile a]\nregion = eu-central-1\nrole_arn = arn:aws:iam::1:role/r\n\
         source_profile = b-sso\n\
         [profile x-sso]\nregion = eu-central-1\ncredential_process = echo no keys; exit 3\n",
    );
    let said = refused(&account, "a");
    assert!(said.contains("has no profile b-sso;"), "{said}");
    let said = refused(&account, "x-sso");
    assert!(said.contains("credentials of profile x-sso cannot be had"), "{said}");
}

#[test]
fn credentials_are_fetched_once_however_often_cloudformation_is_asked() {
    let account = Account::new("once");
    let keys = std::fs::read_to_string(account.directory.0.join("keys.sh")).unwrap();
    account.directory.file("keys.sh", &format!("echo >> fetched\n{keys}"));
    let left = AtomicUsize::new(2);
    account.refuse(move |call| {
        let fewer = |left: usize| left.checked_sub(1);
        let is_hit = call.service == "cloudformation"
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok();
        is_hit.then(|| ("Throttling", "Rate exceeded".to_owned()))
    });
    account.json(&["tenant", "list"]);
    assert_eq!(account.calls().iter().filter(|call| call.service == "cloudformation").count(), 3);
    // The clients of the SDK have a cache of their own.
    let fetched = std::fs::read_to_string(account.directory.0.join("fetched")).unwrap();
    assert_eq!(fetched.lines().count(), 2);
}
