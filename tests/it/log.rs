//! The audit log: what its rows tell, and how it is read.

use std::sync::Arc;

use scim_lambda::directory::states::State;
use scim_lambda::operator::profiles::ProfileChange;
use scim_lambda::operator::tenants::{NewTenant, Switch};
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{Kind, LogPage, LogRange, LogRow, Standing, Subject};
use serde_json::json;

use crate::support::World;
use crate::support::customer::Customer;
use crate::support::handles::{group_path, id, members, sorted, values};

/// All of the log.
fn everything() -> LogRange {
    LogRange { from: 0, until: i64::MAX, newest_first: false, after: None }
}

impl Customer {
    async fn log_page(&self, range: &LogRange, limit: usize) -> LogPage {
        let now = self.world.clock.seconds();
        self.world.store.log(&self.row.key(), range, limit, now).await.unwrap()
    }

    /// The rows of the log, oldest first.
    pub async fn log_rows(&self) -> Vec<LogRow> {
        self.log_page(&everything(), 1_000).await.rows
    }

    async fn last_row(&self) -> LogRow {
        self.log_rows().await.pop().unwrap()
    }
}

fn was(row: &LogRow) -> Option<String> {
    row.was.map(Standing::word)
}

#[tokio::test]
async fn a_row_tells_the_standing_that_a_user_had_before() {
    let customer = Customer::with(
        "default",
        &[("deprovision.on_inactive", "suspend_with_expiry"), ("create.existing", "link")],
    )
    .await;
    let ada = customer.create(json!({ "userName": "ada", "externalId": "1" })).await;
    let created = customer.last_row().await;
    assert_eq!((created.operation.as_str(), was(&created)), ("create", None));
    assert_eq!(created.subject, Some(Subject::Resource(Kind::User)));
    assert_eq!((created.subject_id.as_str(), created.version), (id(&ada), Some(1)));
    assert_eq!(created.milliseconds, customer.world.clock.milliseconds());
    assert!(created.changed.contains(&"userName".to_owned()), "{:?}", created.changed);

    customer.set(&ada, "title", json!("Dr")).await;
    assert_eq!(was(&customer.last_row().await), None, "the standing stays");
    customer.activate(&ada, false).await;
    assert_eq!(was(&customer.last_row().await).as_deref(), Some("active"));
    let until = customer.world.clock.seconds() + 90 * crate::support::DAY;
    let inactive = format!("inactive.{until}");
    customer.activate(&ada, true).await;
    assert_eq!(was(&customer.last_row().await), Some(inactive.clone()));
    customer.activate(&ada, false).await;
    customer.delete(&ada).await;
    let deleted = customer.last_row().await;
    assert_eq!((deleted.operation.as_str(), was(&deleted)), ("delete", Some(inactive)));
    customer.create(json!({ "userName": "ada", "externalId": "1" })).await;
    let restored = customer.last_row().await;
    assert_eq!(restored.operation, "restore");
    assert_eq!(was(&restored), Some(format!("deleted.{until}")));

    customer.activate(&ada, false).await;
    customer.world.clock.advance(91 * crate::support::DAY);
    customer.send("GET", "/Users?count=0", None).await;
    let expired = customer.last_row().await;
    let inactive = format!("inactive.{until}");
    assert_eq!((expired.operation.as_str(), was(&expired)), ("expire", Some(inactive)));

    customer.import(&[json!({ "userName": "bob", "externalId": "2" })]).await;
    customer.create(json!({ "userName": "bob", "externalId": "2" })).await;
    let linked = customer.last_row().await;
    assert_eq!((linked.operation.as_str(), was(&linked).as_deref()), ("link", Some("unmanaged")));
}

#[tokio::test]
async fn a_row_names_members_and_a_deletion_keeps_the_group_and_the_groups_of_a_user() {
    let customer = Customer::new("default").await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let bob = customer.create(json!({ "userName": "bob" })).await;
    let ids = [&ada, &bob].map(|user| id(user).to_owned());
    let body = json!({ "displayName": "All", "externalId": "g1", "members": values(&ids) });
    let group = customer.send("POST", "/Groups", body).await.body;
    let names = |ids: Option<Vec<scim_core::ResourceId>>| -> Vec<String> {
        ids.unwrap().iter().map(|id| id.as_str().to_owned()).collect()
    };
    let created = customer.last_row().await;
    assert_eq!(created.subject, Some(Subject::Resource(Kind::Group)));
    let mut added = names(created.added.clone());
    added.sort();
    assert_eq!(added, sorted(&ids));
    assert!(created.changed.contains(&"members.add".to_owned()));
    assert!(created.concerns(&ids[0].parse().unwrap()));

    let leaves = members("remove", values(&ids[..1]));
    assert_eq!(customer.send("PATCH", &group_path(&group), leaves).await.status, 200);
    let removed = customer.last_row().await;
    assert_eq!((names(removed.removed), names(removed.added)), (ids[..1].to_vec(), vec![]));
    assert_eq!((removed.changed, removed.version), (vec!["members.remove".to_owned()], None));

    customer.delete(&bob).await;
    let left = customer.last_row().await;
    assert_eq!(
        (left.subject_id.as_str(), names(left.left)),
        (ids[1].as_str(), vec![id(&group).to_owned()])
    );

    assert_eq!(customer.send("DELETE", &group_path(&group), None).await.status, 204);
    let rows = customer.log_rows().await;
    let gone = rows.iter().rfind(|row| row.document.is_some()).unwrap();
    let document = gone.document.as_ref().unwrap();
    assert_eq!((gone.operation.as_str(), gone.subject_id.as_str()), ("delete", id(&group)));
    assert_eq!(
        (document.text("displayName"), document.text("externalId")),
        (Some("All"), Some("g1"))
    );
}

#[tokio::test]
async fn a_page_of_a_long_log_is_one_query_of_bounded_size() {
    let customer = Customer::of(&Arc::new(World::metered().await), "default", &[]).await;
    let ada = customer.create(json!({ "userName": "ada" })).await;
    let begun = customer.world.clock.milliseconds();
    for n in 0..300 {
        customer.world.clock.advance(1);
        assert_eq!(customer.set(&ada, "title", json!(format!("{n}"))).await.status, 200);
    }
    let all = customer.log_rows().await;
    assert_eq!(all.len(), 301);
    customer.world.meter.take();
    let newest = LogRange { newest_first: true, ..everything() };
    let page = customer.log_page(&newest, 50).await;
    let bill = customer.world.meter.take();
    assert_eq!((bill.calls, page.rows.len()), (1, 50));
    assert!(bill.read <= 10.0, "{bill:?}");
    assert_eq!(page.rows[0].id, all[300].id);
    let next = LogRange { after: page.next, ..newest };
    assert_eq!(customer.log_page(&next, 50).await.rows[0].id, all[250].id);

    // From the tenth second on, and before the twentieth.
    let range = LogRange { from: begun + 10_000, until: begun + 20_000, ..everything() };
    let ids: Vec<_> =
        customer.log_page(&range, 50).await.rows.into_iter().map(|row| row.id).collect();
    let wanted: Vec<_> = all[10..20].iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, wanted);
    let empty = LogRange { from: 5, until: 5, ..everything() };
    assert!(customer.log_page(&empty, 50).await.rows.is_empty());
}

#[tokio::test]
async fn a_row_of_an_earlier_release_says_what_is_not_known() {
    let customer = Customer::new("default").await;
    let client = aws_sdk_dynamodb::Client::new(&customer.world.local.sdk_config());
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let number = |n: i64| aws_sdk_dynamodb::types::AttributeValue::N(n.to_string());
    let changes = ["members.add=0123456789abcdef", "members.add=1123456789abcdef", "title=2"];
    let changes = changes.map(text).to_vec();
    let put = client.put_item().table_name(scim_local::TABLE);
    let put = put.item("p", text(&format!("{}#L", customer.row.code())));
    let put = put.item("s", text(&uuid::Uuid::now_v7().to_string()));
    let put = put.item("k", text("L")).item("f", number(1)).item("op", text("thaw"));
    let put =
        put.item("i", text("7")).item("at", number(1)).item("ac", text("k")).item("rq", text("r"));
    let put = put.item("ch", aws_sdk_dynamodb::types::AttributeValue::L(changes));
    put.item("x", number(9_999_999_999)).send().await.unwrap();
    let row = customer.last_row().await;
    assert_eq!((row.operation.as_str(), row.subject, row.added), ("thaw", None, None));
    assert_eq!(
        (row.removed, row.changed),
        (Some(vec![]), vec!["members.add".to_owned(), "title".to_owned()])
    );
}

/// The operation, the subject and what changed in rows of the log.
fn summary(rows: &[LogRow]) -> Vec<(String, Option<Subject>, Vec<String>)> {
    let summary = |row: &LogRow| (row.operation.clone(), row.subject.clone(), row.changed.clone());
    rows.iter().map(summary).collect()
}

#[tokio::test]
async fn what_the_operator_does_leaves_a_row() {
    let world = Arc::new(World::new().await);
    let operator = world.operator();
    let new = NewTenant { name: "globex".into(), ..NewTenant::default() };
    let created = operator.create_tenant(new).await.unwrap();
    let mut row = created.row;
    operator.switch_tenant(&row, Switch::Off).await.unwrap();
    operator.switch_tenant(&row, Switch::On).await.unwrap();
    let settings = [("seats.limit", "7"), ("token.reveal", "again")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let change = ProfileChange { settings, ..ProfileChange::default() };
    operator.set_profile(&row, &change).await.unwrap();
    row = operator.tenant("globex").await.unwrap();
    let rotation = operator.rotate_tokens(&row, None, Some("second")).await.unwrap();
    operator.move_tokens(&row).await.unwrap();
    let second = rotation.token.token.key_id().as_str();
    operator.reveal_token(&row, Some(second)).await.unwrap();
    operator.revoke_token(&row, second).await.unwrap();
    let mut export = operator.export(&row, Some(State::SoftDeleted)).await.unwrap();
    while export.next_batch().await.unwrap().is_some() {}

    let customer = Customer { world: world.clone(), row, token: world.token.clone() };
    let rows = customer.log_rows().await;
    let (tenant, token) = (Some(Subject::Tenant), Some(Subject::Token));
    let expected = [
        ("create", &tenant, vec![]),
        ("mint", &token, vec![]),
        ("disable", &tenant, vec![]),
        ("enable", &tenant, vec![]),
        ("profile", &tenant, vec!["seats.limit", "token.reveal"]),
        ("mint", &token, vec![]),
        ("rotate", &token, vec![]),
        ("move", &tenant, vec![]),
        ("reveal", &token, vec![]),
        ("revoke", &token, vec![]),
        ("export", &tenant, vec!["users", "deleted"]),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(operation, subject, changed)| {
            let changed: Vec<String> = changed.into_iter().map(str::to_owned).collect();
            (operation.to_owned(), subject.clone(), changed)
        })
        .collect();
    assert_eq!(summary(&rows), expected);
    assert!(rows.iter().all(|row| row.actor == "operator" && row.request == "test"));
    assert_eq!(rows[6].subject_id, created.token.token.key_id().as_str());
    for row in &rows[8..10] {
        assert_eq!(row.subject_id, second);
    }
    assert_eq!(rows[10].count, Some(0));
}

#[tokio::test]
async fn the_revocation_of_a_token_that_the_table_does_not_list_leaves_a_row() {
    let customer = Customer::new("default").await;
    let operator = customer.world.operator();
    let token = operator.issue_token(&customer.row, Lifetime::Profile, None).await.unwrap().token;
    let key_id = token.key_id().as_str();
    customer.world.store.remove_token(&customer.row.key(), key_id, None).await.unwrap();
    operator.revoke_token(&customer.row, key_id).await.unwrap();
    let revoked = customer.last_row().await;
    assert_eq!((revoked.operation.as_str(), revoked.subject_id.as_str()), ("revoke", key_id));
}
