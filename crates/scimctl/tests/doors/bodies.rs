//! Bodies that never end.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Directory, Server, answer_of, http};
use serde_json::{Value, json};

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
