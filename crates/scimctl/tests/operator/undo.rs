//! Everybody is gone, and comes back: the stories of docs/OPERATIONS.md, whose transcripts are
//! played here.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::transcript::play;
use crate::users::Acme;

/// Nothing stops a customer who empties the directory.
const NO_BRAKE: [&str; 2] = ["brake.deactivations=null", "brake.share=null"];

/// A directory with sixty people and three who are suspended in the group Staff, and with two who
/// have left.
struct Story {
    acme: Acme,
    active: Vec<String>,
    suspended: Vec<String>,
    leavers: Vec<String>,
    staff: String,
    /// A time after all of this.
    since: String,
}

impl Story {
    fn new(name: &str) -> Self {
        let acme = Acme::serve(name, &NO_BRAKE);
        let create = |number: usize, active: bool| {
            let name = format!("person{number:02}@example.com");
            acme.create(&json!({ "userName": name, "active": active }))
        };
        let active: Vec<String> = (1..=60).map(|number| create(number, true)).collect();
        let suspended: Vec<String> = (61..=63).map(|number| create(number, false)).collect();
        let leavers: Vec<String> = (64..=65).map(|number| create(number, true)).collect();
        let members = active.iter().chain(&suspended).chain(&leavers);
        let members: Vec<Value> = members.map(|id| json!({ "value": id })).collect();
        let group = json!({ "displayName": "Staff", "members": members });
        let staff = acme.send("POST", "/Groups", &group).1["id"].as_str().unwrap().to_owned();
        leavers.iter().for_each(|id| acme.delete(id));
        // Times of the command line are in whole seconds.
        sleep(Duration::from_millis(1_100));
        let since = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
        let since = since.format(&Rfc3339).unwrap();
        Self { acme, active, suspended, leavers, staff, since }
    }

    fn state(&self, id: &str) -> Option<bool> {
        let (status, user) = self.acme.send("GET", &format!("/Users/{id}"), &Value::Null);
        (status == 200).then(|| user["active"].as_bool().unwrap())
    }

    fn members(&self) -> usize {
        let path = format!("/Groups/{}", self.staff);
        let group = self.acme.send("GET", &path, &Value::Null).1;
        group["members"].as_array().map_or(0, Vec::len)
    }

    /// Runs the commands of a transcript, since the time of this story.
    fn play(&self, transcript: &str) {
        play(&self.acme.directory, transcript, &[("--since", &self.since)]);
    }

    /// Everybody is as before, also after the same command once more.
    fn check(&self) {
        assert!(self.active.iter().all(|id| self.state(id) == Some(true)));
        assert!(self.suspended.iter().all(|id| self.state(id) == Some(false)));
        assert!(self.leavers.iter().all(|id| self.state(id).is_none()));
        assert_eq!(self.members(), 63);
        let again = self.acme.directory.text(&["undo", "acme", "--since", &self.since, "--yes"]);
        assert!(again.contains("There is nothing to bring back."), "{again}");
    }
}

#[test]
fn sixty_people_who_were_deleted_come_back() {
    let story = Story::new("undo-deleted");
    story.active.iter().chain(&story.suspended).for_each(|id| story.acme.delete(id));
    assert_eq!(story.members(), 0);
    let undo = ["undo", "acme", "--since", &story.since, "--dry-run"];
    let shown = story.acme.directory.text(&undo);
    for number in 1..=63 {
        assert!(shown.contains(&format!("person{number:02}@example.com")), "{number}: {shown}");
    }
    assert!(!shown.contains("person64"), "a leaver stays out");
    story.play("deleted");
    story.check();
}

#[test]
fn sixty_people_who_were_deactivated_become_active() {
    let story = Story::new("undo-deactivated");
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    for id in story.active.iter().chain(&story.suspended) {
        assert_eq!(story.acme.send("PATCH", &format!("/Users/{id}"), &off).0, 200);
    }
    story.play("deactivated");
    story.check();
}

#[test]
fn a_group_that_was_emptied_has_its_members_again() {
    let story = Story::new("undo-emptied");
    let path = format!("/Groups/{}", story.staff);
    assert_eq!(story.acme.send("PUT", &path, &json!({ "displayName": "Staff" })).0, 200);
    assert_eq!(story.members(), 0);
    story.play("emptied");
    story.check();
}

#[test]
fn an_undo_asks_names_everybody_and_says_what_it_did() {
    let acme = Acme::serve("undo-says", &[]);
    let ann = acme.create(&json!({ "userName": "ann" }));
    let nothing = acme.directory.text(&["undo", "acme", "--since", "2020-01-01"]);
    assert!(nothing.starts_with("Nothing that can be undone was done in acme since 2020"));
    assert!(nothing.contains("The log begins at"), "{nothing}");
    let said = acme.directory.refused(&["undo", "acme", "--since", "1h", "--by", "nobody"]);
    assert!(said.contains("nobody is neither the key id nor the label"), "{said}");
    acme.delete(&ann);
    let undo = ["undo", "acme", "--since", "1h"];
    let said = acme.directory.run(&undo);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("give --yes"), "{said}");
    let said = acme.directory.refused(&["--json", "undo", "acme", "--since", "1h"]);
    assert!(said.contains("nothing was done"), "{said}");
    let plan = acme.directory.json(&[&undo[..], &["--dry-run"]].concat());
    assert_eq!((&plan["users"][0]["what"], &plan["done"]), (&json!("restore"), &Value::Null));
    assert_eq!(plan["users"][0]["userName"], "ann");
    assert_eq!(plan["counts"]["restore"], 1);
    let done = acme.directory.json(&[&undo[..], &["--yes"]].concat());
    assert_eq!((&done["done"]["restored"], &done["done"]["failures"]), (&json!(1), &json!([])));
    // The printed command does the same again.
    let command = plan["command"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(3).collect();
    assert_eq!(words[..3], ["undo", "acme", "--since"], "{command}");
    sleep(Duration::from_millis(1_100));
    let again = acme.directory.json(&[&words[..], &["--yes"]].concat());
    assert_eq!((&again["since"], &again["until"]), (&plan["since"], &plan["until"]));
    assert_eq!((&again["users"][0]["what"], &again["done"]), (&json!("already_so"), &Value::Null));
    let shown = acme.directory.text(&["log", "acme", "--op", "undo"]);
    assert!(
        shown.contains("ann  deleted until") || shown.contains("ann  deleted -> back"),
        "{shown}"
    );
    let order = ["undo", "acme", "--since", "1h", "--until", "2h", "--dry-run"];
    let said = acme.directory.refused(&order);
    assert!(said.contains("ends before it begins"), "{said}");
}

#[test]
fn an_undo_says_what_cannot_come_back_and_how_it_can() {
    let acme = Acme::serve("undo-held", &[]);
    let create = |name: &str| acme.create(&json!({ "userName": name }));
    let [ann, bob, tom] = ["ann", "bob", "tom"].map(create);
    acme.delete(&tom);
    sleep(Duration::from_millis(1_100));
    let since = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let since = since.format(&Rfc3339).unwrap();
    // Tom is brought back and deleted again; another Ann comes.
    acme.create(&json!({ "userName": "tom" }));
    let eve = create("eve");
    [&tom, &ann, &bob, &eve].into_iter().for_each(|id| acme.delete(id));
    acme.create(&json!({ "userName": "ann", "externalId": "2" }));
    let undo = ["undo", "acme", "--since", &since];
    let shown = acme.directory.text(&[&undo[..], &["--dry-run"]].concat());
    let place = format!("scimctl --data {} user", acme.directory.0.display());
    for line in [
        "stays deleted, as before the span: was brought back at 20".to_owned(),
        format!("; {place} restore acme {tom}"),
        format!("{place} restore acme {ann} --user-name NAME, with the standing and the groups"),
        "comes back, active; came in the span".to_owned(),
        "An undo would bring back 2 people (1 of them came in the span).".to_owned(),
        "What cannot be brought back: 2 users.".to_owned(),
    ] {
        assert!(shown.contains(&line), "{line}: {shown}");
    }
    // The command that goes on is known before the question.
    let asked = acme.directory.run(&undo);
    let printed = String::from_utf8(asked.stdout).unwrap();
    assert!(printed.contains("The command for exactly this: scimctl"), "{printed}");
    let done = acme.directory.run(&[&undo[..], &["--yes"]].concat());
    let (said, shown) = (done.stderr, String::from_utf8(done.stdout).unwrap());
    let said = String::from_utf8(said).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    let last = "2 users were restored.\nWhat cannot be brought back: 2 users.\n";
    assert!(shown.ends_with(last), "{shown}");
    assert!(said.contains("not everything came back, and the plan says why"), "{said}");
    // Nothing is left to do, but not everything is back.
    assert_eq!(acme.directory.run(&[&undo[..], &["--yes"]].concat()).status.code(), Some(1));
    let plan = acme.directory.json(&[&undo[..], &["--dry-run"]].concat());
    assert_eq!(plan["held"], json!({ "users": 2, "groups": 0 }));
    // The end of a span may be in the future.
    let until = (OffsetDateTime::now_utc() + time::Duration::minutes(5)).format(&Rfc3339).unwrap();
    acme.directory.text(&[&undo[..], &["--until", &until, "--dry-run"]].concat());
    let said = acme.directory.run(&["log", "acme", "--until", &until]).stderr;
    assert!(String::from_utf8(said).unwrap().contains("in the future"));
}

#[test]
fn an_undo_says_what_it_takes_away_and_fails_if_somebody_stays_out() {
    let acme = Acme::serve("undo-takes", &["seats.limit=2"]);
    let ann = acme.create(&json!({ "userName": "ann" }));
    let bob = acme.create(&json!({ "userName": "bob" }));
    let staff = acme.send("POST", "/Groups", &json!({ "displayName": "Staff" })).1;
    let path = format!("/Groups/{}", staff["id"].as_str().unwrap());
    sleep(Duration::from_millis(1_100));
    let since = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let since = since.format(&Rfc3339).unwrap();
    let all = json!({ "displayName": "Staff", "members": [{ "value": ann }, { "value": bob }] });
    assert_eq!(acme.send("PUT", &path, &all).0, 200);
    acme.delete(&ann);
    acme.create(&json!({ "userName": "eve" }));
    let undo = ["undo", "acme", "--since", &since];
    let shown = acme.directory.text(&[&undo[..], &["--dry-run"]].concat());
    let expected = "An undo would bring back 1 person and remove 1 member from groups.";
    assert!(shown.contains(expected), "{shown}");
    assert!(shown.contains("not into 1 group joined in the span"), "{shown}");
    let done = acme.directory.run(&[&undo[..], &["--yes"]].concat());
    let (said, shown) = (done.stderr, String::from_utf8(done.stdout).unwrap());
    let said = String::from_utf8(said).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("not everything came back") && said.contains("--until"), "{said}");
    assert!(shown.contains("1 member was removed.\nann: "), "{shown}");
}
