//! The endpoints of DynamoDB and Secrets Manager on a laptop, and the requests that they answer.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use crate::support::{BINARY, Directory, Server, answer_of};
use serde_json::{Value, json};

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
    // With nothing but these variables.
    let listed = Command::new(BINARY).args(["--json", "tenant", "list"]).envs(variables).output();
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
