//! The promises about tenants and the table itself.

use aws_sdk_dynamodb::Client;
use scim_lambda::store::TenantRow;
use scim_lambda::store::{self, Bounds};

use super::table::Table;

pub async fn a_tenant_has_a_name_of_its_own(table: &Table) {
    let Table { store, tenant, .. } = table;
    let again = TenantRow::generate(&tenant.name, "default", 0).unwrap();
    assert!(!store.create_tenant(&again, None).await.unwrap());
    let found = store.tenant_by_name(&tenant.name).await.unwrap().unwrap();
    assert_eq!(found.code(), tenant.code());
    assert!(store.tenant(again.code()).await.unwrap().is_none());
    let listed = store.tenants().await.unwrap();
    assert_eq!(listed.iter().filter(|row| row.name == tenant.name).count(), 1);
}

pub async fn a_profile_is_replaced_only_if_it_is_the_one_that_was_read(table: &Table) {
    let Table { store, tenant, .. } = table;
    let set =
        async |profile: &str| store.set_profile(tenant, profile, Bounds::default()).await.unwrap();
    assert!(set("first").await);
    assert!(!set("second").await, "the row has changed since it was read");
    assert_eq!(store.tenant(tenant.code()).await.unwrap().unwrap().profile, "first");
}

pub async fn a_table_can_be_created_again(table: &Table) {
    let client = Client::from_conf(store::timeouts((&table.sdk).into()).build());
    store::table::create(&client, &table.name).await.unwrap();
    assert!(table.store.tenant(table.tenant.code()).await.unwrap().is_some());
}
