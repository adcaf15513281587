//! Request lines as careless clients write them, with quotes, spaces and other raw characters in
//! the target. hyper refuses those before the service can answer, so they are percent-encoded on
//! the way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest request line that is inspected, in bytes.
const MAX_LINE_BYTES: usize = 64 * 1_024;

/// A connection whose request lines are encoded as they are read.
///
/// A request begins with the first byte of a connection, and with the first byte that is read after
/// something was written. Bytes that do not look like a request line pass unchanged.
#[derive(Debug)]
pub struct Encoded<S> {
    stream: S,
    /// Whether the next byte begins a request.
    begins: bool,
    /// Bytes of a line that is not complete.
    line: BytesMut,
    /// Encoded bytes that the reader gets next.
    ready: BytesMut,
}

impl<S> Encoded<S> {
    /// Wraps a connection.
    pub fn new(stream: S) -> Self {
        Self { stream, begins: true, line: BytesMut::new(), ready: BytesMut::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Encoded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.begins {
            let mut bytes = [0; 4_096];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut read))?;
            this.line.extend_from_slice(read.filled());
            let ended = read.filled().is_empty() || this.line.contains(&b'\n');
            if ended || this.line.len() > MAX_LINE_BYTES || !may_begin_a_request(&this.line) {
                this.begins = false;
                this.ready = encode(&this.line.split());
            }
        }
        if this.ready.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, to);
        }
        let length = this.ready.len().min(to.remaining());
        to.put_slice(&this.ready.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Encoded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Bytes that are already available belong to a request.
        self.begins = !self.ready.has_remaining();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Whether the bytes so far may be a method, or a method and a target. The rest of a body that
/// waited for `100 Continue` is neither, so it must not be held back until a line ends.
fn may_begin_a_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().position(|b| !b.is_ascii_uppercase()).unwrap_or(bytes.len());
    (1..=16).contains(&method)
        && matches!(bytes.get(method..), Some([] | [b' '] | [b' ', b'/', ..]))
}

/// The bytes with the target of their first line encoded, if that is a request line.
fn encode(bytes: &[u8]) -> BytesMut {
    let encoded = || {
        let end = bytes.iter().position(|b| *b == b'\n')?;
        let (line, rest) = bytes.split_at_checked(end)?;
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let begin = text.iter().position(|b| *b == b' ')? + 1;
        let (method, text) = text.split_at_checked(begin)?;
        let (target, version) =
            text.split_at_checked(text.len().checked_sub(" HTTP/1.1".len())?)?;
        let is_line = method.iter().all(|b| b.is_ascii_uppercase() || *b == b' ')
            && target.starts_with(b"/")
            && version.starts_with(b" HTTP/1.");
        let mut encoded = BytesMut::with_capacity(bytes.len() + 64);
        encoded.extend_from_slice(method);
        for byte in target {
            match byte {
                b'"'
                | b'<'
                | b'>'
                | b'\\'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | ..=b' '
                | 0x7f.. => {
                    encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
                }
                byte => encoded.extend_from_slice(&[*byte]),
            }
        }
        encoded.extend_from_slice(version);
        encoded.extend_from_slice(b"\r");
        encoded.extend_from_slice(rest);
        is_line.then_some(encoded)
    };
    encoded().unwrap_or_else(|| bytes.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[test]
    fn targets_are_encoded_and_nothing_else() {
        for (sent, read) in [
            (
                "GET /Users?filter=userName eq \"a\" HTTP/1.1\r\nHost: \"x\"\r\n",
                "GET /Users?filter=userName%20eq%20%22a%22 HTTP/1.1\r\nHost: \"x\"\r\n",
            ),
            ("GET /Users?a=%22+b HTTP/1.1\n\n", "GET /Users?a=%22+b HTTP/1.1\r\n\n"),
            ("GET /\u{e9} HTTP/1.0\r\n", "GET /%C3%A9 HTTP/1.0\r\n"),
            ("{\"a\": \"/ HTTP/1.1\"}\r\n", "{\"a\": \"/ HTTP/1.1\"}\r\n"),
            ("POST\r\n", "POST\r\n"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&encode(sent.as_bytes())), read);
        }
    }

    #[tokio::test]
    async fn a_body_after_100_continue_is_not_held_back() {
        for body in ["{\"a\": 1}", "POST", " /", "ABCDEFGHIJKLMNOPQ"] {
            let (mut client, server) = duplex(64);
            let mut server = Encoded::new(server);
            client.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
            server.read_exact(&mut [0; 17]).await.unwrap();
            server.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            client.write_all(body.as_bytes()).await.unwrap();
            if body == "POST" {
                // Four letters may be a method; the next byte decides.
                client.write_all(b"!").await.unwrap();
            }
            let mut read = vec![0; body.len()];
            server.read_exact(&mut read).await.unwrap();
            assert_eq!(read, body.as_bytes());
        }
    }

    #[tokio::test]
    async fn each_request_line_of_a_connection_is_encoded_and_bodies_are_not() {
        let (mut client, server) = duplex(64);
        let mut server = Encoded::new(server);
        for _ in 0..2 {
            client.write_all(b"POST /a\"b").await.unwrap();
            let (_, read) = tokio::join!(client.write_all(b" HTTP/1.1\r\n\r\n"), async {
                let mut read = vec![0; 23];
                server.read_exact(&mut read).await.unwrap();
                read
            });
            assert_eq!(read, b"POST /a%22b HTTP/1.1\r\n\r");
            client.write_all(b"GET /\" HTTP/1.1\n").await.unwrap();
            let mut body = vec![0; 17];
            server.read_exact(&mut body).await.unwrap();
            assert_eq!(body, b"\nGET /\" HTTP/1.1\n");
            server.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
            client.read_exact(&mut [0; 17]).await.unwrap();
        }
    }
}
