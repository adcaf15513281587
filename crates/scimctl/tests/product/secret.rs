//! The secret of the webhook stays with the data directory, for its owner alone.

use std::os::unix::fs::PermissionsExt;

use crate::receiver::{Endpoint, Server};
use crate::support::Directory;

#[test]
fn the_secret_stays_with_the_directory() {
    let (directory, endpoint) = (Directory::new("secret"), Endpoint::new(|_| 200));
    let file = directory.0.join("webhook-secret");
    let secret = |arguments: &[&str]| {
        let all = [&["--webhook", &endpoint.url], arguments].concat();
        let server = Server::start(&directory, &all);
        let secret = server.ready["webhook_secret"].as_str().unwrap().to_owned();
        assert_eq!(server.ready["webhook"], endpoint.url.as_str());
        server.interrupt();
        secret
    };
    let ephemeral = secret(&["--ephemeral"]);
    assert!(!file.exists());
    let first = secret(&[]);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), first);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // An older version or a copy may have left it readable.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(secret(&[]), first);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_ne!(ephemeral, first);
    std::fs::write(&file, "nonsense").unwrap();
    let said = directory.refused(&["serve", "--webhook", &endpoint.url]);
    assert!(said.contains("remove it, and the next start will create one"), "{said}");
}
