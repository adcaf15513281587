//! An AWS account with one stack: CloudFormation answers here, and DynamoDB and Secrets Manager are
//! those of a `scimctl serve`. All calls are recorded, and a test can have any of them refused.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{BINARY, Directory, Server};

/// How the names of the secrets of a `serve` begin.
pub(crate) const SECRETS: &str = "scim/local";
pub(crate) const STACK: &str = "scim";
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";
/// The stack's retention in days: of deleted users, and of the log.
pub(crate) const RETENTION: [i64; 2] = [30, 60];
pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1";

/// The token of a session of IAM Identity Center that has not ended.
pub(crate) const GOOD_SESSION: &str = "good";

/// A call of a service.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    pub(crate) body: Value,
}

/// A refusal: its code and its message.
pub(crate) type Refusal = (&'static str, String);
type Rule = dyn Fn(&Call) -> Option<Refusal> + Send + Sync;

#[derive(Default)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    rule: Mutex<Option<Arc<Rule>>>,
    outputs: Mutex<BTreeMap<String, String>>,
    dynamodb: String,
    secrets: String,
    /// The access key id that the endpoints accept.
    key: String,
}

pub(crate) struct Account {
    pub(crate) directory: Directory,
    pub(crate) ready: Value,
    pub(crate) url: String,
    shared: Arc<Shared>,
    _server: Server,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        let directory = Directory::new(&format!("aws-{name}"));
        let mut server = Server::start(&directory, &["--json"]);
        let ready = server.ready();
        let host = |name: &str| ready[name].as_str().unwrap().replace("http://", "");
        let (dynamodb, secrets) = (host("dynamodb"), host("secrets_manager"));
        let key = ready["access_key_id"].as_str().unwrap().to_owned();
        let shared = Arc::new(Shared { dynamodb, secrets, key, ..Shared::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = serving.clone();
                std::thread::spawn(move || shared.answer(stream));
            }
        });
        let account = Self { directory, ready, url, shared, _server: server };
        account.configure();
        account
    }

    /// The outputs of the stack, and a profile whose credentials a process prints.
    fn configure(&self) {
        let days = RETENTION.map(|days| days.to_string());
        for (name, value) in [
            ("BaseUrl", "https://scim.example.com/scim/v2"),
            ("TableName", "scim"),
            ("SecretsPrefix", SECRETS),
            ("Region", REGION),
            ("AccountId", ACCOUNT),
            ("RetentionDays", &days[0]),
            ("AuditRetentionDays", &days[1]),
            ("KmsKeyArn", KEY),
        ] {
            self.output(name, Some(value));
        }
        let key = &self.shared.key;
        let keys = format!(
            "echo '{{\"Version\":1,\"AccessKeyId\":\"{key}\",\"SecretAccessKey\":\"local\"}}'\n"
        );
        let script = self.directory.file("keys.sh", &keys);
        self.directory.file(
            "config",
            &format!("[default]\nregion = {REGION}\ncredential_process = sh {script}\n"),
        );
    }

    /// Sets or removes an output of the stack.
    pub(crate) fn output(&self, name: &str, value: Option<&str>) {
        let mut outputs = self.shared.outputs.lock().unwrap();
        match value {
            Some(value) => outputs.insert(name.to_owned(), value.to_owned()),
            None => outputs.remove(name),
        };
    }

    /// From now on, calls get the refusal that `rule` chooses.
    pub(crate) fn refuse(&self, rule: impl Fn(&Call) -> Option<Refusal> + Send + Sync + 'static) {
        *self.shared.rule.lock().unwrap() = Some(Arc::new(rule));
    }

    /// From now on, calls pass.
    pub(crate) fn allow(&self) {
        *self.shared.rule.lock().unwrap() = None;
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.shared.calls.lock().unwrap())
    }

    /// The tool with nothing but this account's configuration, and no place.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        let file = |name: &str| self.directory.0.join(name);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", &self.directory.0)
            .env("AWS_CONFIG_FILE", file("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", file("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.url)
            .current_dir(&self.directory.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the tool on the stack.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(&[&["--stack", STACK], arguments].concat()).output().unwrap()
    }

    /// Runs the tool on the stack, and returns the object and the text on standard error.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Value, String) {
        let output = self.run(&[&["--json"], arguments].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        (serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
    }

    /// What the tool says when it fails on the stack.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        failure(&self.run(arguments))
    }
}

/// The text on standard error of a run that failed and printed no result.
pub(crate) fn failure(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    said
}

impl Shared {
    fn answer(&self, stream: TcpStream) {
        let Some(request) = Request::read(&stream) else { return };
        if let Some(token) = request.headers.get("x-amz-sso_bearer_token") {
            return send(stream, &self.sign_in(token));
        }
        let call = request.call();
        self.calls.lock().unwrap().push(call.clone());
        let rule = self.rule.lock().unwrap().clone();
        let answer = match (rule.and_then(|rule| rule(&call)), call.service) {
            (Some((code, message)), "cloudformation") => (400, xml_error(code, &message)),
            (Some((code, message)), _) => {
                let reasons = vec![json!({ "Code": "ThrottlingError" })];
                let error = json!({
                    "__type": format!("com.amazonaws#{code}"), "message": message,
                    "CancellationReasons": reasons,
                });
                (400, error.to_string())
            }
            (None, "cloudformation") => self.describe(call.body["StackName"].as_str().unwrap()),
            (None, "dynamodb") => return request.pass_to(&self.dynamodb, stream),
            (None, _) => return request.pass_to(&self.secrets, stream),
        };
        send(stream, &answer);
    }

    /// The credentials of a role, for the token of a session of Identity Center.
    fn sign_in(&self, token: &str) -> (u16, String) {
        if token != GOOD_SESSION {
            let error = json!({
                "__type": "com.amazonaws.switchboard.portal#UnauthorizedException",
                "message": "Session token not found or invalid",
            });
            return (401, error.to_string());
        }
        let credentials = json!({
            "accessKeyId": self.key, "secretAccessKey": "local", "sessionToken": "s",
            "expiration": 4_000_000_000_000_i64,
        });
        (200, json!({ "roleCredentials": credentials }).to_string())
    }

    fn describe(&self, stack: &str) -> (u16, String) {
        if stack != STACK {
            let message = format!("Stack with id {stack} does not exist");
            return (400, xml_error("ValidationError", &message));
        }
        let outputs = self.outputs.lock().unwrap();
        let outputs: String = outputs
            .iter()
            .map(|(name, value)| {
                format!(
                    "<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
                )
            })
            .collect();
        let text = format!(
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>{stack}\
             </StackName><Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult>\
             </DescribeStacksResponse>"
        );
        (200, text)
    }
}

fn xml_error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

fn send(mut stream: TcpStream, (status, body): &(u16, String)) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} OK\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
}

struct Request {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        reader.read_line(&mut String::new()).ok().filter(|length| *length > 0)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        Some(Self { headers, body })
    }

    fn call(&self) -> Call {
        let Some((service, operation)) =
            self.headers.get("x-amz-target").and_then(|target| target.split_once('.'))
        else {
            return self.form();
        };
        let service = if service == "secretsmanager" { "secretsmanager" } else { "dynamodb" };
        let body = serde_json::from_slice(&self.body).unwrap_or_default();
        Call { service, operation: operation.to_owned(), body }
    }

    /// A call of the query protocol, which must be signed for its service.
    fn form(&self) -> Call {
        let signature = &self.headers["authorization"];
        assert!(
            signature.contains(&format!("/{REGION}/cloudformation/aws4_request")),
            "{signature}"
        );
        let text = String::from_utf8(self.body.clone()).unwrap();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let mut body: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let operation = body.remove("Action").unwrap();
        Call { service: "cloudformation", operation, body: json!(body) }
    }

    /// Sends it on, and its answer back.
    fn pass_to(&self, host: &str, mut stream: TcpStream) {
        let Ok(mut upstream) = TcpStream::connect(host) else { return };
        let kept = self.headers.iter().filter(|(name, _)| *name != "host" && *name != "connection");
        let head: String = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}\r\n");
        let mut answer = Vec::new();
        let passed =
            upstream.write_all(head.as_bytes()).and_then(|()| upstream.write_all(&self.body));
        if passed.is_ok() && upstream.read_to_end(&mut answer).is_ok() {
            let _ = stream.write_all(&answer);
        }
    }
}
