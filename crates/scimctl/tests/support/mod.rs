//! What all tests of the binary share.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_scimctl");

/// A directory that is removed when the test ends.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("scimctl-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY).arg("--data").arg(&self.0).args(arguments).output().unwrap()
    }

    /// Runs with `--json` and returns the object.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "one object and nothing else: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// What it prints for people.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The error, which is a single line on standard error, with exit status 1.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(1), 0),
            "{arguments:?}: {said}"
        );
        assert_eq!((said.lines().count(), said.starts_with("scimctl: ")), (1, true), "{said}");
        said
    }

    /// A file in the directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::create_dir_all(&self.0).unwrap();
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `serve`, which is stopped when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Server {
    pub(crate) fn start(directory: &Directory, arguments: &[&str]) -> Self {
        Self::start_with(directory, arguments, &[])
    }

    /// With arguments before and after the word `serve`.
    pub(crate) fn start_with(directory: &Directory, before: &[&str], after: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .arg("--data")
            .arg(&directory.0)
            .args(before)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(after)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The object that `--json` prints when the server is ready.
    pub(crate) fn ready(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(mut self) -> bool {
        interrupt(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends Ctrl-C to a process, and tells whether it ended with success.
pub(crate) fn interrupt(child: &mut Child) -> bool {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap().success()
}

/// One HTTP request to `base_url`; status and JSON.
pub(crate) fn http(
    base_url: &str,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let (host, base) = base_url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /{base}{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer \
        {token}\r\nConnection: close\r\nContent-Type: application/scim+json\r\nContent-Length: \
        {length}\r\n\r\n{body}"
    )
    .unwrap();
    let (status, _, body) = answer_of(stream);
    (status, body)
}

/// A call of one of the endpoints of `serve`, and its status.
pub(crate) fn aws(endpoint: &str, key: &str, target: &str, body: &str) -> u16 {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\nConnection: \
        close\r\nAuthorization: AWS4-HMAC-SHA256 Credential={key}/20261130/eu-central-1/x/\
        aws4_request, SignedHeaders=host, Signature=00\r\nContent-Type: \
        application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    answer_of(stream).0
}

/// Reads a connection to its end: status, head and JSON.
pub(crate) fn answer_of(mut stream: TcpStream) -> (u16, String, Value) {
    // If the other side closes a connection that is still sending, the end is an error, after the
    // answer.
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    (head[9..12].parse().unwrap(), head.to_owned(), serde_json::from_str(body).unwrap_or_default())
}
