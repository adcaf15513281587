//! A product's endpoint, and a server that posts to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::support::{BINARY, Directory, http};

/// Long enough for any machine; a test that waits for this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An endpoint on this machine, until the test ends.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    arrived: Receiver<Received>,
}

impl Endpoint {
    /// An endpoint that answers its `n`th request, from 0, with the status that `answer` gives. It
    /// may take its time.
    pub(crate) fn new(answer: impl FnMut(usize) -> u16 + Send + 'static) -> Self {
        Self::at(&TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    pub(crate) fn at(
        listener: &TcpListener,
        mut answer: impl FnMut(usize) -> u16 + Send + 'static,
    ) -> Self {
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let (listener, (arrives, arrived)) = (listener.try_clone().unwrap(), channel());
        std::thread::spawn(move || {
            let mut count = 0;
            for stream in listener.incoming() {
                serve(stream.unwrap(), &arrives, &mut || {
                    count += 1;
                    answer(count - 1)
                });
            }
        });
        Self { url, arrived }
    }

    /// The next request.
    pub(crate) fn next(&self) -> Received {
        self.arrived.recv_timeout(PATIENCE).expect("a request")
    }

    /// The next requests up to one whose event has this type.
    pub(crate) fn until(&self, event_type: &str) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            all.push(self.next());
            if all.last().unwrap().event()["type"] == event_type {
                return all;
            }
        }
    }

    /// Whether nothing has arrived that was not looked at.
    pub(crate) fn is_quiet(&self) -> bool {
        self.arrived.try_recv().is_err()
    }
}

/// Answers the requests of one connection.
fn serve(stream: TcpStream, arrives: &Sender<Received>, answer: &mut dyn FnMut() -> u16) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut out = stream;
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or_default() == 0 {
            return;
        }
        assert_eq!(first, "POST /events HTTP/1.1\r\n");
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut request = Received { headers, body: String::new() };
        let length = request.header("content-length").parse().unwrap();
        (&mut lines).take(length).read_to_string(&mut request.body).unwrap();
        let _ = arrives.send(request);
        let status = answer();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nLocation: /\r\n\r\n{{}}");
        if out.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let (Some((_, value)), None) = (values.next(), values.next()) else {
            panic!("{name}: {:?}", self.headers)
        };
        value
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it is signed with a secret, as Standard Webhooks says.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        self.header("webhook-signature") == format!("v1,{signature}")
    }
}

/// A running `serve --json` whose lines on standard error can be read.
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
    said: Receiver<String>,
}

impl Server {
    pub(crate) fn start(directory: &Directory, arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .arg("--data")
            .arg(&directory.0)
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (says, said) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = says.send(line);
            }
        });
        Self { child, ready: serde_json::from_str(&line).unwrap(), said }
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = |name: &str| self.ready[name].as_str().unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http(text("base_url"), text("token"), method, path, &body)
    }

    /// Creates a user and returns its id.
    pub(crate) fn create(&self, name: &str) -> String {
        let user = serde_json::json!({ "userName": name, "active": true });
        let (status, user) = self.send("POST", "/Users", &user);
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    }

    /// Waits for a line of the tool itself on standard error that contains some words.
    pub(crate) fn says(&self, words: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE).expect(words);
            if line.starts_with("scimctl: ") {
                assert!(line.contains(words), "{line}");
                return line;
            }
        }
    }

    /// Ends it with Ctrl-C. Returns what the tool itself said on standard error and was not read.
    pub(crate) fn interrupt(mut self) -> Vec<String> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
        self.said.iter().filter(|line| line.starts_with("scimctl: ")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
