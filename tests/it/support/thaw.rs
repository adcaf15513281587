//! The engine behind a socket of this machine, whose connections go stale as those of a function do
//! that was frozen: an open one is reset, or requests on it are lost, and only a new connection is
//! answered.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request on a connection that was open before the thaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// The connection is reset.
    Reset,
    /// Nothing comes back.
    BlackHole,
}

/// A socket in front of an engine.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    engine: SharedHttpConnector,
    /// How many connections were opened.
    opened: AtomicUsize,
    /// The first connections, which are stale, and how.
    stale: Mutex<(usize, Stale)>,
}

impl Wire {
    /// Listens on a free port of this machine.
    pub async fn before(engine: SharedHttpConnector) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            engine,
            opened: AtomicUsize::new(0),
            stale: Mutex::new((0, Stale::Reset)),
        });
        tokio::spawn(accept(listener, state.clone()));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were opened so far.
    pub fn opened(&self) -> usize {
        self.state.opened.load(Ordering::SeqCst)
    }

    /// All connections that are open go stale.
    pub fn thaw(&self, how: Stale) {
        *self.state.stale.lock().unwrap() = (self.opened(), how);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = state.opened.fetch_add(1, Ordering::SeqCst);
        let state = state.clone();
        tokio::spawn(async move { answer(stream, number, &state).await });
    }
}

/// Answers the requests of one connection, one after the other, until it goes stale.
async fn answer(mut stream: TcpStream, number: usize, state: &State) {
    stream.set_nodelay(true).unwrap();
    let mut read = Vec::new();
    while let Some(request) = next(&mut stream, &mut read).await {
        let (first, how) = *state.stale.lock().unwrap();
        match how {
            Stale::Reset if number < first => return stream.set_zero_linger().unwrap(),
            Stale::BlackHole if number < first => continue,
            Stale::Reset | Stale::BlackHole => {}
        }
        let response = state.engine.call(request).await.unwrap();
        let (status, body) =
            (response.status().as_u16(), response.body().bytes().unwrap().to_vec());
        let kind = "content-type: application/x-amz-json-1.0";
        let head =
            format!("HTTP/1.1 {status} OK\r\n{kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}

/// The next request on a connection: its head, and a body of the length that the head announces.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<HttpRequest> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end].to_vec()).unwrap();
            let field = |name: &str| {
                let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                fields
                    .find(|(field, _)| field.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_owned())
            };
            let length: usize = field("content-length").unwrap().parse().unwrap();
            if read.len() >= end + 4 + length {
                let body: Vec<u8> = read.drain(..end + 4 + length).skip(end + 4).collect();
                let mut request = HttpRequest::new(SdkBody::from(body));
                request.headers_mut().insert("x-amz-target", field("x-amz-target").unwrap());
                return Some(request);
            }
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}
