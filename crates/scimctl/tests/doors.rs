//! The doors of a laptop: which requests `serve` answers, and which users can read its files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
#![cfg(unix)]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{BINARY, Directory, Server, answer_of, http};

/// Sends a request of the AWS protocol with these additional headers: status, head and body.
fn aws(
    url: &str,
    method: &str,
    host: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, Value) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!("{method} / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    answer_of(stream)
}

fn signed(key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20261129/eu-west-1/any/aws4_request, \
        SignedHeaders=host, Signature=0"
    )
}

/// The headers of a request that is answered.
fn good<'a>(endpoint: &str, authorization: &'a str) -> Vec<(&'a str, &'a str)> {
    let target = match endpoint {
        "dynamodb" => "DynamoDB_20120810.ListTables",
        _ => "secretsmanager.ListSecrets",
    };
    let target: &'static str = target;
    vec![
        ("X-Amz-Target", target),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("Authorization", authorization),
    ]
}

#[test]
fn neither_endpoint_answers_a_web_page_or_a_stranger() {
    let directory = Directory::new("doors");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let authorization = signed(ready["access_key_id"].as_str().unwrap());
    for endpoint in ["dynamodb", "secrets_manager"] {
        let url = ready[endpoint].as_str().unwrap();
        let host = url.strip_prefix("http://").unwrap();
        let with = |headers: &[(&str, &str)], method: &str, host: &str| {
            let (status, head, body) = aws(url, method, host, headers, "{}");
            assert!(!head.to_ascii_lowercase().contains("access-control-"), "{endpoint}: {head}");
            (status, body)
        };
        let good = good(endpoint, &authorization);
        let (status, listed) = with(&good, "POST", host);
        assert_eq!(status, 200, "{endpoint}: {listed}");
        assert_eq!(with(&good, "POST", "localhost").0, 200);

        let preflight = [
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type,x-amz-target"),
        ];
        assert_eq!(with(&preflight, "OPTIONS", host).0, 403, "{endpoint}: a preflight");
        assert_eq!(with(&good, "OPTIONS", host).0, 405, "{endpoint}");
        assert_eq!(with(&good, "GET", host).0, 405, "{endpoint}");
        let from_a_page = [good.clone(), vec![("Origin", "https://evil.example")]].concat();
        assert_eq!(with(&from_a_page, "POST", host).0, 403, "{endpoint}: a page");
        assert_eq!(
            with(&good, "POST", "evil.example").0,
            403,
            "{endpoint}: a name that was pointed here"
        );

        assert_eq!(with(&good[..2], "POST", host).0, 400, "{endpoint}: no signature");
        let stranger = signed("local");
        let strange = [good[..2].to_vec(), vec![("Authorization", stranger.as_str())]].concat();
        let (status, refused) = with(&strange, "POST", host);
        assert_eq!(
            (status, &refused["__type"]),
            (400, &json!("UnrecognizedClientException")),
            "{endpoint}"
        );
        assert!(refused["message"].as_str().unwrap().contains("AWS_ACCESS_KEY_ID"), "{refused}");
    }
}

#[test]
fn the_key_is_kept_in_the_data_directory() {
    let directory = Directory::new("key");
    let mut server = Server::start(&directory, &["--json"]);
    let key = server.ready()["access_key_id"].as_str().unwrap().to_owned();
    assert_eq!(std::fs::read_to_string(directory.0.join("access-key")).unwrap().trim(), key);
    assert!(server.interrupt());
    let mut again = Server::start(&directory, &["--json"]);
    assert_eq!(again.ready()["access_key_id"], key);
    let other = Directory::new("key-other");
    let mut other_server = Server::start(&other, &["--json"]);
    assert_ne!(other_server.ready()["access_key_id"], key, "each directory has its own");
    drop(again);
    std::fs::write(directory.0.join("access-key"), "").unwrap();
    assert!(
        directory.refused(&["serve", "--listen", "127.0.0.1:0"]).contains("contains no access key")
    );
}

#[test]
fn data_files_are_private_even_if_an_older_version_left_them_readable() {
    let directory = Directory::new("modes");
    std::fs::create_dir_all(&directory.0).unwrap();
    let open = |name: &str, mode| {
        std::fs::set_permissions(directory.0.join(name), std::fs::Permissions::from_mode(mode))
            .unwrap();
    };
    open("", 0o755);
    let looked_at = |when: &str| {
        assert_eq!(
            std::fs::metadata(&directory.0).unwrap().permissions().mode() & 0o777,
            0o700,
            "{when}"
        );
        let mut names: Vec<String> = Vec::new();
        for file in std::fs::read_dir(&directory.0).unwrap().map(Result::unwrap) {
            names.push(file.file_name().into_string().unwrap());
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{when}: {:?}", file.file_name());
        }
        names.sort();
        names
    };
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let (base_url, token) = (ready["base_url"].as_str().unwrap(), ready["token"].as_str().unwrap());
    assert_eq!(http(base_url, token, "POST", "/Users", r#"{"userName":"a@example.com"}"#).0, 201);
    let all = [
        "access-key",
        "lock",
        "scim.db",
        "scim.db-shm",
        "scim.db-wal",
        "secrets.json",
        "serve.json",
    ];
    assert_eq!(looked_at("served"), all);
    // Killed, as after a crash; then made readable, as an older version left it.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    for name in all {
        open(name, 0o644);
    }
    open("", 0o755);
    let mut server = Server::start(&directory, &["--json"]);
    server.ready();
    assert_eq!(looked_at("served again"), all);
}

#[test]
fn a_shared_directory_is_refused_as_data_directory() {
    let directory = Directory::new("shared");
    std::fs::create_dir_all(&directory.0).unwrap();
    std::fs::set_permissions(&directory.0, std::fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(directory.refused(&["tenant", "list"]).contains("shared with other users"));
    assert_eq!(
        std::fs::metadata(&directory.0).unwrap().permissions().mode() & 0o7777,
        0o1777,
        "as it was"
    );
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 0);
}

#[test]
fn the_environment_that_serve_prints_reaches_its_data() {
    let directory = Directory::new("exports");
    let mut server = Server::start(&directory, &[]);
    let lines =
        server.lines.by_ref().map(Result::unwrap).take_while(|line| !line.starts_with("Ctrl-C"));
    let exports = lines
        .filter_map(|line| line.strip_prefix("export ").map(str::to_owned))
        .collect::<Vec<_>>()
        .join(" ");
    let variables: Vec<(&str, &str)> =
        exports.split(' ').map(|variable| variable.split_once('=').unwrap()).collect();
    let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "SCIM_TABLE",
        "SCIM_STACK",
        "SCIM_BASE_URL",
    ] {
        assert!(names.contains(&name), "{exports}");
    }
    // With nothing but these variables, and a table that has the name of the stack.
    let listed = Command::new(BINARY)
        .args(["--stack", "scim", "--json", "tenant", "list"])
        .envs(variables)
        .output();
    let listed: Value = serde_json::from_slice(&listed.unwrap().stdout).unwrap();
    assert_eq!(listed["tenants"][0]["tenant"], "demo");
}

/// The operations that the engine's own server offers, each with a request that is valid at its
/// place in this order.
const OPERATIONS: &[(&str, &str)] = &[
    (
        "CreateTable",
        r#"{"TableName":"tab","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST",
            "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
    ),
    ("DescribeTable", r#"{"TableName":"tab"}"#),
    ("ListTables", "{}"),
    ("UpdateTable", r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST"}"#),
    ("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"a"},"n":{"N":"1"}}}"#),
    ("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"a"}}}"#),
    (
        "UpdateItem",
        r#"{"TableName":"tab","Key":{"k":{"S":"a"}},"UpdateExpression":"SET n = :n",
            "ExpressionAttributeValues":{":n":{"N":"2"}}}"#,
    ),
    (
        "Query",
        r#"{"TableName":"tab","KeyConditionExpression":"k = :k","ExpressionAttributeValues":{":k":{"S":"a"}}}"#,
    ),
    ("Scan", r#"{"TableName":"tab"}"#),
    ("BatchWriteItem", r#"{"RequestItems":{"tab":[{"PutRequest":{"Item":{"k":{"S":"b"}}}}]}}"#),
    ("BatchGetItem", r#"{"RequestItems":{"tab":{"Keys":[{"k":{"S":"b"}}]}}}"#),
    (
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"tab","Item":{"k":{"S":"c"}}}}]}"#,
    ),
    (
        "TransactGetItems",
        r#"{"TransactItems":[{"Get":{"TableName":"tab","Key":{"k":{"S":"c"}}}}]}"#,
    ),
    ("ExecuteStatement", r#"{"Statement":"SELECT * FROM \"tab\" WHERE k = 'a'"}"#),
    (
        "ExecuteTransaction",
        r#"{"TransactStatements":[{"Statement":"INSERT INTO \"tab\" VALUE {'k': 'd'}"}]}"#,
    ),
    (
        "BatchExecuteStatement",
        r#"{"Statements":[{"Statement":"SELECT * FROM \"tab\" WHERE k = 'd'"}]}"#,
    ),
    (
        "UpdateTimeToLive",
        r#"{"TableName":"tab","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"x"}}"#,
    ),
    ("DescribeTimeToLive", r#"{"TableName":"tab"}"#),
    ("TagResource", r#"{"ResourceArn":"ARN","Tags":[{"Key":"a","Value":"b"}]}"#),
    ("ListTagsOfResource", r#"{"ResourceArn":"ARN"}"#),
    ("UntagResource", r#"{"ResourceArn":"ARN","TagKeys":["a"]}"#),
    ("ListStreams", "{}"),
    ("DescribeStream", r#"{"StreamArn":"STREAM"}"#),
    (
        "GetShardIterator",
        r#"{"StreamArn":"STREAM","ShardId":"SHARD","ShardIteratorType":"TRIM_HORIZON"}"#,
    ),
    ("GetRecords", r#"{"ShardIterator":"ITERATOR"}"#),
    ("DeleteItem", r#"{"TableName":"tab","Key":{"k":{"S":"a"}}}"#),
    ("DeleteTable", r#"{"TableName":"tab"}"#),
];

#[test]
fn every_operation_of_dynamodb_is_offered_behind_the_door() {
    let directory = Directory::new("operations");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let authorization = signed(ready["access_key_id"].as_str().unwrap());
    let url = ready["dynamodb"].as_str().unwrap();
    let send = |operation: &str, body: &str| {
        let service = if ["Stream", "Shard", "Records"].iter().any(|word| operation.contains(word))
        {
            "DynamoDBStreams_20120810"
        } else {
            "DynamoDB_20120810"
        };
        let target = format!("{service}.{operation}");
        let headers = [
            ("X-Amz-Target", target.as_str()),
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Authorization", authorization.as_str()),
        ];
        aws(url, "POST", "localhost", &headers, body)
    };
    let mut names: Vec<(&str, String)> = Vec::new();
    for (operation, body) in OPERATIONS {
        let body = names.iter().fold((*body).to_owned(), |body, (name, value)| {
            body.replace(&format!("\"{name}\""), &format!("\"{value}\""))
        });
        let (status, head, answer) = send(operation, &body);
        assert_eq!(status, 200, "{operation}: {answer}");
        assert!(
            head.contains("application/x-amz-json-1.0") && head.contains("x-amz-crc32"),
            "{head}"
        );
        let text =
            |pointer: &str| answer.pointer(pointer).map(|value| value.as_str().unwrap().to_owned());
        names.extend(text("/TableDescription/TableArn").map(|arn| ("ARN", arn)));
        names.extend(text("/TableDescription/LatestStreamArn").map(|arn| ("STREAM", arn)));
        names.extend(text("/StreamDescription/Shards/0/ShardId").map(|id| ("SHARD", id)));
        names.extend(text("/ShardIterator").map(|iterator| ("ITERATOR", iterator)));
        match *operation {
            "Query" => assert_eq!(answer["Items"][0]["n"], json!({ "N": "2" })),
            "GetRecords" => assert!(answer["Records"].as_array().unwrap().len() > 1, "{answer}"),
            _ => {}
        }
    }
    for (operation, body, kind) in [
        ("Nothing", "{}", "UnknownOperationException"),
        ("SearchVectors", "{}", "ValidationException"),
        ("GetItem", "{", "SerializationException"),
        ("GetItem", r#"{"TableName":7,"Key":{}}"#, "SerializationException"),
        ("PutItem", r#"{"TableName":"scim","Item":{"p":{"NULL":false}}}"#, "ValidationException"),
        (
            "GetItem",
            r#"{"TableName":"nowhere","Key":{"p":{"S":"a"}}}"#,
            "ResourceNotFoundException",
        ),
    ] {
        let (status, _, answer) = send(operation, body);
        let named = answer["__type"].as_str().unwrap();
        assert!(status == 400 && named.ends_with(kind), "{operation} {body}: {status} {answer}");
        assert!(!answer.to_string().contains("VALIDATION"), "{answer}");
    }
}

#[test]
fn an_ephemeral_server_is_reached_by_subcommands_and_leaves_nothing() {
    for exists in [false, true] {
        let directory = Directory::new(&format!("ephemeral-{exists}"));
        if exists {
            directory.json(&["tenant", "create", "kept"]);
        }
        let mut server = Server::start_with(&directory, &["--json"], &["--ephemeral"]);
        let ready = server.ready();
        assert_eq!(ready["tenant"], "demo");
        let listed = directory.json(&["tenant", "list"]);
        assert_eq!(listed["tenants"][0]["tenant"], "demo", "in the same place: {listed}");
        assert_eq!(listed["tenants"].as_array().unwrap().len(), 1);
        let made = directory.json(&["tenant", "create", "acme"]);
        assert_eq!(made["base_url"], ready["base_url"]);
        let (base_url, token) =
            (ready["base_url"].as_str().unwrap(), made["token"].as_str().unwrap());
        assert_eq!(http(base_url, token, "GET", "/Users", "").0, 200);
        directory.json(&["event", "create-user"]);
        let second = directory.refused(&["serve", "--ephemeral", "--listen", "127.0.0.1:0"]);
        assert!(second.contains("already being served") && second.contains("--data"), "{second}");
        assert!(server.interrupt());
        assert_eq!(directory.0.exists(), exists);
        if exists {
            let listed = directory.json(&["tenant", "list"]);
            assert_eq!(
                listed["tenants"][0]["tenant"], "kept",
                "existing data is untouched: {listed}"
            );
        }
    }
}

/// Sends a POST whose body never ends, a byte at a time. Returns the time until the answer, its
/// status and its body.
fn trickle(base_url: &str, token: &str, transfer: &str) -> (Duration, u16, Value) {
    let address = base_url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /scim/v2/Users HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\n{transfer}\r\n\r\n"
    )
    .unwrap();
    let mut sender = stream.try_clone().unwrap();
    let began = Instant::now();
    let chunked = transfer.starts_with("Transfer");
    std::thread::spawn(move || {
        let bytes: &[u8] = if chunked { b"1\r\n \r\n" } else { b" " };
        while began.elapsed() < Duration::from_secs(60) && sender.write_all(bytes).is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let (status, _, body) = answer_of(stream);
    (began.elapsed(), status, body)
}

#[test]
fn an_endless_body_is_cut_off_before_and_after_the_token_is_known() {
    let directory = Directory::new("trickle");
    let mut server = Server::start(&directory, &["--json"]);
    let ready = server.ready();
    let (base_url, token) = (ready["base_url"].as_str().unwrap(), ready["token"].as_str().unwrap());
    let transfers = ["Content-Length: 100000", "Transfer-Encoding: chunked"];
    std::thread::scope(|scope| {
        for transfer in transfers {
            scope.spawn(move || {
                let (took, status, body) = trickle(base_url, "scim_nobody", transfer);
                assert_eq!(status, 401, "{body}");
                assert!(took < Duration::from_secs(4), "before the token is known: {took:?}");
            });
            scope.spawn(move || {
                let (took, status, body) = trickle(base_url, token, transfer);
                assert_eq!((status, &body["status"]), (408, &json!("408")), "{body}");
                assert!(body["detail"].as_str().unwrap().contains("10 seconds"), "{body}");
                assert!((9..15).contains(&took.as_secs()), "{took:?}");
            });
        }
    });
    assert_eq!(http(base_url, token, "GET", "/Users", "").0, 200);
}
