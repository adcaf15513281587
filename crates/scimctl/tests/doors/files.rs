//! The files of a data directory: its key, and the users that can read them.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Directory, Server, http};

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
