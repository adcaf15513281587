//! Identity providers, played from `tests/transcripts`: one test for each of them.

use std::collections::HashMap;

use bytes::Bytes;
use http::Request;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::tenant::Profile;
use serde_json::Value;

use crate::support::transcript::{Exchange, Expected, Transcript, contains};
use crate::support::{Answer, World, documents};

macro_rules! transcripts {
    ($($test:ident: $file:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            play($file).await;
        })*

        #[test]
        fn every_transcript_is_played() {
            let folder = std::fs::read_dir(documents::root().join("tests/transcripts")).unwrap();
            let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut files: Vec<String> = files.filter(|name| name.ends_with(".txt")).collect();
            files.sort();
            assert_eq!(files, [$(concat!($file, ".txt")),*]);
        }
    };
}

transcripts! {
    auth0: "auth0",
    authentik: "authentik",
    canaille: "canaille",
    entra_id: "entra",
    jumpcloud: "jumpcloud",
    nextcloud: "nextcloud",
    okta: "okta",
    ping: "ping",
    pocket_id: "pocket-id",
}

/// Plays each scenario of a transcript on a tenant of its own, under the profile of the transcript.
async fn play(name: &str) {
    let transcript = Transcript::read(name);
    let profile = Profile::preset(&transcript.profile, transcript.dialect.as_deref()).unwrap();
    let profile = profile.write().unwrap();
    let world = World::new().await;
    assert!(!transcript.scenarios.is_empty(), "{name} is empty");
    for (number, scenario) in transcript.scenarios.iter().enumerate() {
        let (_, token) = world.tenant(&format!("{name}-{number}"), &profile).await;
        let mut captured = HashMap::new();
        for exchange in &scenario.exchanges {
            let place = format!("{name}.txt, {}, {}", scenario.title, exchange.step);
            let answer = send(&world, &token, exchange, &captured).await;
            check(&answer, &exchange.expected, &captured, &place);
            for (name, pointer) in &exchange.expected.captures {
                let value = answer.body.pointer(pointer).and_then(Value::as_str);
                let value = value.unwrap_or_else(|| panic!("{place}: {pointer} has no text"));
                captured.insert(name.clone(), value.to_owned());
            }
        }
    }
}

/// Puts captured values in the place of their names.
fn fill(text: &str, captured: &HashMap<String, String>) -> String {
    captured.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

async fn send(
    world: &World,
    token: &PlainToken,
    exchange: &Exchange,
    captured: &HashMap<String, String>,
) -> Answer {
    // A URI cannot contain quotes: the gateway or the listener before the service encodes them.
    let target = fill(&exchange.target, captured).replace('"', "%22");
    let uri = format!("/scim/v2{target}");
    let mut request = Request::builder().method(exchange.method.as_str()).uri(uri);
    if !exchange.headers.iter().any(|(name, _)| name == "Authorization") {
        request = request.header("authorization", format!("Bearer {}", token.reveal()));
    }
    for (name, value) in &exchange.headers {
        request = request.header(name, value);
    }
    let body = exchange.body.as_ref().map(|body| Bytes::from(fill(body, captured)));
    world.raw(request.body(body.unwrap_or_default()).unwrap()).await
}

fn check(answer: &Answer, expected: &Expected, captured: &HashMap<String, String>, place: &str) {
    let body = &answer.body;
    assert!(
        expected.statuses.contains(&answer.status.as_u16()),
        "{place}: {} {body}",
        answer.status
    );
    for (name, text) in &expected.headers {
        let found = answer.header(name);
        assert!(found.to_lowercase().contains(&text.to_lowercase()), "{place}: {name}: {found}");
    }
    if [204, 304].contains(&answer.status.as_u16()) {
        assert!(body.is_null(), "{place}: {body}");
        return;
    }
    if let Some(document) = &expected.body {
        let document: Value = serde_json::from_str(&fill(document, captured)).unwrap();
        assert!(contains(body, &document), "{place}: {body} does not contain {document}");
    }
    for pointer in &expected.absent {
        let found = body.pointer(pointer).unwrap_or(&Value::Null);
        let empty =
            [Value::Null, "".into(), Value::Array(vec![]), Value::Object(Default::default())];
        assert!(empty.contains(found), "{place}: {pointer} is {found}");
    }
    for (pointer, length) in &expected.lengths {
        let found = body.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
        assert_eq!(found, *length, "{place}: {pointer} in {body}");
    }
}
