//! The promises about rows that a newer release has written.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use scim_core::ResourceId;
use scim_lambda::store::{Guards, Operation, StoreError, Target, Transition};
use serde_json::json;

use super::table::{Table, addition, committed};

impl Table {
    fn key(&self, id: &ResourceId) -> [(&'static str, AttributeValue); 2] {
        let p = format!("{}#U", self.tenant.code());
        [("p", AttributeValue::S(p)), ("s", AttributeValue::S(self.users().key(id)))]
    }

    /// Sets an attribute of a user's row, as a newer release may.
    async fn mark(&self, id: &ResourceId, name: &str, value: AttributeValue) {
        let update = Client::new(&self.sdk).update_item().table_name(&self.name);
        let update =
            self.key(id).into_iter().fold(update, |update, (name, key)| update.key(name, key));
        let update = update.update_expression(format!("SET {name} = :value"));
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }

    async fn attribute(&self, id: &ResourceId, name: &str) -> Option<AttributeValue> {
        let get = Client::new(&self.sdk).get_item().table_name(&self.name).consistent_read(true);
        let get = self.key(id).into_iter().fold(get, |get, (name, key)| get.key(name, key));
        get.send().await.unwrap().item?.get(name).cloned()
    }
}

pub async fn a_change_keeps_attributes_that_it_does_not_know(table: &Table) {
    let id = table.user("a@x.org").await;
    let added = AttributeValue::S("added".to_owned());
    table.mark(&id, "zz", added.clone()).await;
    let read = table.stored_user(&id).await;
    committed(table.change_user(&read, json!({ "userName": "a@x.org", "title": "Dr" })).await);
    assert_eq!(table.attribute(&id, "zz").await, Some(added.clone()));
    committed(table.delete_user(&table.stored_user(&id).await).await);
    assert_eq!(table.attribute(&id, "zz").await, Some(added));
}

/// What a change takes away is gone from the row, although the row is not put as a whole.
pub async fn a_change_removes_what_a_resource_no_longer_has(table: &Table) {
    let id = table.user("a@x.org").await;
    let read = table.stored_user(&id).await;
    let full =
        json!({ "userName": "a@x.org", "externalId": "1", "emails": [{ "value": "b@x.org" }] });
    committed(table.change_user(&read, full).await);
    assert!(
        table.attribute(&id, "es").await.is_some() && table.attribute(&id, "em").await.is_some()
    );
    let read = table.stored_user(&id).await;
    committed(table.change_user(&read, json!({ "userName": "a@x.org" })).await);
    for name in ["e", "es", "em"] {
        assert_eq!(table.attribute(&id, name).await, None, "{name}");
    }
    assert_eq!(table.stored_user(&id).await.names().external_id(), None);
}

pub async fn a_row_of_a_newer_format_is_neither_read_nor_written(table: &Table) {
    let id = table.user("a@x.org").await;
    let group = table.group("staff", &[]).await;
    let read = table.stored_user(&id).await;
    table.mark(&id, "f", AttributeValue::N("2".to_owned())).await;
    let is_newer = |error: StoreError| matches!(error, StoreError::NewerFormat { format: 2, .. });
    let reading = table.store.resource(&table.users(), &id, table.now()).await;
    assert!(is_newer(reading.unwrap_err()));
    // The row is not read by the addition of a member, which sets an attribute of it.
    let (users, audit) = (table.users(), table.audit(Operation::Patch));
    let addition = [addition(&id)];
    let added = table.store.change_members(&table.groups(), &group, &addition, &audit).await;
    assert!(is_newer(added.unwrap_err()));
    let removal = Transition::new(&users, Some(&read), Target::Gone, &audit, Guards::default());
    assert!(is_newer(table.store.commit(removal).await.unwrap_err()));
    assert_eq!(table.attribute(&id, "g").await, None);
    table.mark(&id, "f", AttributeValue::N("1".to_owned())).await;
    let stored = table.stored_user(&id).await;
    assert_eq!(stored.resource.meta.version, read.resource.meta.version);
}
