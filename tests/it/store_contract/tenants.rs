//! The promises about tenants and the table itself.

use aws_sdk_dynamodb::Client;
use scim_lambda::store::{self, Bounds, SecretNumber, TenantRow, TokenRow};

use super::table::{RETENTION, Table};

pub async fn a_tenant_has_a_name_of_its_own(table: &Table) {
    let Table { store, tenant, .. } = table;
    let again = TenantRow::generate(&tenant.name, "default", 0).unwrap();
    assert!(!store.create_tenant(&again, None, None).await.unwrap());
    let found = store.tenant_by_name(&tenant.name).await.unwrap().unwrap();
    assert_eq!(found.code(), tenant.code());
    assert!(store.tenant(again.code()).await.unwrap().is_none());
    let listed = store.tenants().await.unwrap();
    assert_eq!(listed.iter().filter(|row| row.name == tenant.name).count(), 1);
}

pub async fn a_profile_is_replaced_only_if_it_is_the_one_that_was_read(table: &Table) {
    let Table { store, tenant, .. } = table;
    let set = async |profile: &str| {
        store.set_profile(tenant, profile, Bounds::default(), None).await.unwrap()
    };
    assert!(set("first").await);
    assert!(!set("second").await, "the row has changed since it was read");
    assert_eq!(store.tenant(tenant.code()).await.unwrap().unwrap().profile, "first");
}

pub async fn a_token_is_listed_once_and_until_a_month_after_its_end(table: &Table) {
    const MONTH: i64 = 30 * 24 * 60 * 60;
    let (store, key, now) = (&table.store, table.tenant.key(), table.now());
    let token = |key_id: &str, expires: Option<i64>| TokenRow {
        key_id: key_id.to_owned(),
        created: table.clock.milliseconds(),
        expires,
        label: Some("Entra".to_owned()),
        revoked: None,
        seen: None,
    };
    let lasting = token("aaaa", None);
    table.clock.advance(1);
    let ending = token("0000", Some(now + 100));
    for token in [&ending, &lasting] {
        assert!(store.add_token(&key, token, None).await.unwrap());
        assert!(!store.add_token(&key, token, None).await.unwrap(), "its key id is taken");
    }
    let listed = async |at: i64| store.tokens(&key, at).await.unwrap();
    assert_eq!(listed(now).await, [lasting.clone(), ending.clone()], "the oldest first");
    assert_eq!(listed(now + 99 + MONTH).await.len(), 2);
    assert_eq!(listed(now + 100 + MONTH).await, std::slice::from_ref(&lasting));
    assert!(store.expire_token(&key, "aaaa", now + 50, None).await.unwrap());
    assert!(store.revoke_token(&key, "0000", now + 10, None).await.unwrap());
    assert!(
        !store.revoke_token(&key, "0000", now + 20, None).await.unwrap(),
        "that was recorded before"
    );
    let (expired, revoked) = (Some(now + 50), Some(now + 10));
    let changed = [TokenRow { expires: expired, ..lasting }, TokenRow { revoked, ..ending }];
    assert_eq!(listed(now + 9 + MONTH).await, changed);
    assert_eq!(listed(now + 10 + MONTH).await, changed[..1]);
    assert!(!store.revoke_token(&key, "zzzz", now, None).await.unwrap());
    assert!(!store.expire_token(&key, "zzzz", now, None).await.unwrap());
    store.remove_token(&key, "aaaa", None).await.unwrap();
    assert!(listed(now + 10 + RETENTION).await.is_empty());
    assert!(store.tenant(key.code()).await.unwrap().is_some_and(|row| !row.unfinished));
}

pub async fn a_tenant_moves_from_the_secret_that_its_row_names(table: &Table) {
    let (store, code) = (&table.store, table.tenant.code());
    let (first, second) = (SecretNumber::FIRST, SecretNumber::FIRST.next());
    let row = async || {
        let row = store.tenant(code).await.unwrap().unwrap();
        (row.secret, row.moving)
    };
    assert_eq!(row().await, (None, false));
    assert!(!store.begin_move(code, first).await.unwrap());
    assert!(store.end_move(code, None, first, None).await.unwrap());
    assert!(!store.end_move(code, None, second, None).await.unwrap(), "it has a secret");
    assert!(!store.end_move(code, Some(first), second, None).await.unwrap(), "it does not move");
    assert!(!store.begin_move(code, second).await.unwrap(), "it is in another secret");
    assert!(store.begin_move(code, first).await.unwrap());
    assert!(store.begin_move(code, first).await.unwrap(), "several operators may move it");
    assert_eq!(row().await, (Some(first), true));
    assert!(store.end_move(code, Some(first), second, None).await.unwrap());
    assert!(!store.end_move(code, Some(first), second, None).await.unwrap(), "one of them does");
    assert_eq!(row().await, (Some(second), false));
}

pub async fn the_next_secret_is_begun_once(table: &Table) {
    let store = &table.store;
    let before = store.newest_secret().await.unwrap();
    let next = before.map_or(SecretNumber::FIRST, SecretNumber::next);
    assert!(store.begin_secret(before).await.unwrap());
    assert!(!store.begin_secret(before).await.unwrap());
    assert_eq!(store.newest_secret().await.unwrap(), Some(next));
    assert!(store.begin_secret(Some(next)).await.unwrap());
    assert_eq!(store.newest_secret().await.unwrap(), Some(next.next()));
    let listed = store.tenants().await.unwrap();
    assert!(listed.iter().any(|row| row.code() == table.tenant.code()), "it is not a tenant");
}

pub async fn a_table_can_be_created_again(table: &Table) {
    let client = Client::from_conf(store::timeouts((&table.sdk).into()).build());
    store::table::create(&client, &table.name).await.unwrap();
    assert!(table.store.tenant(table.tenant.code()).await.unwrap().is_some());
}
