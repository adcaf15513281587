//! The product's own table of users against the directory.

use serde_json::{Value, json};

use crate::support::{Directory, Server, http};

/// A tenant with a user in each state.
struct Scene {
    directory: Directory,
    base_url: String,
    token: String,
    _server: Server,
}

impl Scene {
    fn new(name: &str) -> Self {
        let directory = Directory::new(name);
        let expiring = "deprovision.on_inactive=suspend_with_expiry";
        let made = directory.json(&["tenant", "create", "acme", expiring]);
        let mut server = Server::start(&directory, &["--json"]);
        let base_url = server.ready()["base_url"].as_str().unwrap().to_owned();
        let token = made["token"].as_str().unwrap().to_owned();
        Self { directory, base_url, token, _server: server }
    }

    fn create(&self, user: &Value) -> String {
        let body = user.to_string();
        let (status, user) = http(&self.base_url, &self.token, "POST", "/Users", &body);
        assert_eq!(status, 201, "{user}");
        user["id"].as_str().unwrap().to_owned()
    }

    fn send(&self, method: &str, id: &str, body: &Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/Users/{id}");
        let (status, said) = http(&self.base_url, &self.token, method, &path, &body);
        assert!(status < 300, "{said}");
    }

    /// The exit status, and what is printed, of a comparison.
    fn drift(&self, table: &str, arguments: &[&str]) -> (i32, String, String) {
        let file = self.directory.file("users.csv", table);
        let arguments = [&["events", "drift", "acme", "--against", &file], arguments].concat();
        let output = self.directory.run(&arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn each_difference_has_a_line() {
    let scene = Scene::new("drift");
    let ada = scene.create(&json!({ "userName": "Ada@example.com", "title": "Dr\u{1b}[31m",
        "name": { "givenName": "Ada" },
        "emails": [{ "value": "a@work.example", "type": "work", "primary": true },
            { "value": "a@home.example", "type": "home" }] }));
    let bob = scene.create(&json!({ "userName": "bob", "externalId": "B1" }));
    let eve = scene.create(&json!({ "userName": "eve" }));
    let kim = scene.create(&json!({ "userName": "kim" }));
    let deleted = scene.create(&json!({ "userName": "left" }));
    scene.send("DELETE", &deleted, &Value::Null);
    let off = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": { "active": false } }] });
    scene.send("PATCH", &eve, &off);

    // Words, names and ids are compared as SCIM compares them.
    let upper = ada.to_uppercase();
    let agreeing = format!(
        "id;State;active;USERNAME;name.givenName;emails[primary eq true].value;\
         \"emails[type eq \"\"home\"\"].value\";externalId;title\n\
         {upper};provisioned;t;ADA@example.com;ada;A@work.example;a@home.example;;Dr\u{1b}[31m\n\
         {bob};;true;bob;;;;B1;\n{eve};suspended_with_expiry;false;eve;;;;;\n{kim};;;kim;;;;;\n\
         {deleted};deleted;0;other;;;;;\ngone;deleted;;;;;;;\npurged;absent;;;;;;;\n"
    );
    let (status, said, error) = scene.drift(&agreeing, &[]);
    assert_eq!((status, error.as_str()), (0, ""), "{said}");
    assert_eq!(
        said,
        "The file's 7 users agree with the directory, which has 5, 1 of them deleted or unmanaged.\n"
    );

    let table = format!(
        "id,state,title,externalId\n{ada},suspended,Mr,\n{bob},,,b1\n{eve},,,\n{deleted},provisioned,,\n\
         zzz-1,,,\n\"zzz/2\",,,\n"
    );
    let (status, said, error) = scene.drift(&table, &[]);
    assert_eq!((status, error.as_str()), (1, "scimctl: 7 differences\n"), "{said}");
    let mut expected = vec![
        format!(
            "attribute {ada} (Ada@example.com), line 2: title is \"Mr\" in the file, \
             \"Dr\\u001b[31m\" in the directory"
        ),
        format!(
            "state     {ada} (Ada@example.com), line 2: suspended in the file, provisioned in the \
             directory"
        ),
        format!(
            "attribute {bob} (bob), line 3: externalId is \"b1\" in the file, \"B1\" in the \
             directory"
        ),
        format!("missing   {kim} (kim): provisioned in the directory, not in the file"),
        format!(
            "state     {deleted} (left), line 5: provisioned in the file, deleted in the directory"
        ),
        "surplus   zzz-1, line 6: not in the directory".to_owned(),
        "surplus   zzz/2, line 7: not in the directory".to_owned(),
    ];
    // Lines are in the order of the keys.
    expected.sort_by_key(|line| line[10..].split([',', ' ', ':']).next().unwrap().to_owned());
    expected.push(
        "1 missing, 2 surplus, 2 in another state, 2 other attributes: the file has 6 users, the \
         directory 5, 1 of them deleted or unmanaged."
            .to_owned(),
    );
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);

    let (status, said, _) = scene.drift(&table, &["--json", "--resync"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &report["surplus"], &report["key"]), (1, &json!(2), &json!("id")));
    let resyncs = report["resyncs"].as_array().unwrap();
    assert_eq!((resyncs.len(), &resyncs[0]["counts"]["users"]), (1, &json!(4)), "{report}");
    let (_, said, _) = scene.drift(&table, &["--resync"]);
    assert!(
        said.contains("has sent a snapshot of 4 users") && said.contains("1 surplus without an id"),
        "{said}"
    );

    // An empty state is not compared, and names as databases have them are understood.
    let (status, said, _) =
        scene.drift(&format!("id,state\n{ada},\n{bob},\n{eve},\n{kim},\n{deleted},\n"), &[]);
    assert_eq!(status, 0, "{said}");
    for (column, path) in [
        ("user_name", "userName"),
        ("given-name", "name.givenName"),
        ("E-Mail", "emails[primary eq true].value"),
    ] {
        let (status, _, error) = scene.drift(&format!("id,{column}\n"), &[]);
        let what = format!("is not an attribute of the tenant's users; write {path}, or remove it");
        assert!(status == 2 && error.contains(&what), "{error}");
    }

    // Without states, a table lists the users who are there; other keys find the same users.
    let (status, said, _) = scene.drift("userName\nADA@example.com\nbob\neve\nkim\nleft\n", &[]);
    assert!(status == 1 && said.contains("present in the file, deleted"), "{said}");
    let (status, said, _) = scene.drift("externalId,userName\nB1,bob\nB2,eve\n", &[]);
    assert_eq!((status, said.matches("missing  ").count()), (1, 3), "{said}");
    assert!(said.contains("surplus   B2, line 3"), "{said}");
}

#[test]
fn a_file_that_cannot_be_compared_is_refused_with_status_2() {
    let scene = Scene::new("drift-bad");
    for (table, why) in [
        ("", "is empty"),
        ("name.givenName,title\n", "line 1 must name the columns, one of them id"),
        ("id,\n", "column 2 has no name"),
        ("id,nonsense\n", "column 2 (nonsense) in line 1 is not an attribute"),
        ("id,emails\n", "has several parts"),
        ("id,emails.value\n", "emails[primary eq true].value"),
        ("id,name\n", "has several parts; name one, such as name.givenName"),
        ("id,password\n", "is never shown"),
        ("id,emails[\n", "is not a SCIM path"),
        ("id,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\n", "whole extension"),
        ("id,title,TITLE\n", "line 1 names TITLE twice"),
        ("id,ID\n", "line 1 names ID twice"),
        ("id,state\na,left\n", "line 2 has \"left\" as state; write provisioned, suspended"),
        ("id,active\na,maybe\n", "line 2 has \"maybe\" as active; write true or false"),
        ("id,title\na,b\n,c\n", "line 3 has no id"),
        ("id,title\na,b,c\n", "line 2 has 3 columns, but line 1 names 2"),
        ("id\na\nb\nA\n", "line 4 has the same id as line 2"),
        ("userName\nAnn\nann\n", "line 3 has the same userName as line 2"),
        ("id,title\na,\"b\n", "line 2: a quote that opens here is never closed"),
        ("id\n\0\n", "UTF-16"),
    ] {
        let (status, said, error) = scene.drift(table, &[]);
        assert_eq!((status, said.as_str()), (2, ""), "{table:?}: {error}");
        assert!(error.contains(why) && error.lines().count() == 1, "{table:?}: {error}");
    }
    for arguments in [["nobody", "users.csv"], ["acme", "absent.csv"]] {
        let output =
            scene.directory.run(&["events", "drift", arguments[0], "--against", arguments[1]]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let file = scene.directory.file("users.csv", "id\n");
    let output = scene.directory.run(&["events", "drift", "nobody", "--against", &file]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("scimctl tenant list"), "{said}");
}
