//! When a secret is left alone and the next one is begun.

use std::time::{Duration, Instant};

use scim_lambda::auth::shared_records::{RecordState, SharedRecords};
use scim_lambda::auth::shared_secrets::MAX_SECRET_BYTES;
use scim_lambda::operator::room::{MAX_VERSIONS, ROOMY_BYTES};
use scim_lambda::store::SecretNumber;

use super::stack::{PUT, Stack};
use crate::support::connectors::Fault;
use crate::support::tokens::change_secret;

const FIRST: SecretNumber = SecretNumber::FIRST;

pub async fn a_secret_that_changed_too_often_is_left_alone(stack: &Stack) {
    let (old, first) = stack.tenant_with_token("old").await;
    let (quiet, untouched) = stack.tenant_with_token("quiet").await;
    stack.use_up(FIRST, MAX_VERSIONS - 1).await;
    let last = stack.issue(&old).await;
    assert_eq!((stack.versions(FIRST).await, stack.secret_of(&old).await), (80, Some(FIRST)));
    let (new, token) = stack.tenant_with_token("new").await;
    assert_eq!(stack.secret_of(&new).await, Some(FIRST.next()), "minting goes on in the next one");
    let moved = stack.issue(&old).await;
    assert_eq!(stack.secret_of(&old).await, Some(FIRST.next()), "a tenant that changes moves");
    assert_eq!(stack.secret_of(&quiet).await, Some(FIRST), "the others stay");
    for token in [&first, &last, &moved] {
        assert!(stack.accepts(&old, token).await);
    }
    assert!(stack.accepts(&new, &token).await && stack.accepts(&quiet, &untouched).await);
    assert!(stack.shared(FIRST).await.records.text(old.code()).is_none(), "it has left");
    assert_eq!(stack.versions(FIRST).await, 81);
}

pub async fn a_secret_near_its_quota_keeps_what_a_move_leaves(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    stack.use_up(FIRST, 95).await;
    let second = stack.issue(&row).await;
    assert_eq!(stack.secret_of(&row).await, Some(FIRST.next()));
    assert!(stack.shared(FIRST).await.records.text(row.code()).is_some());
    assert_eq!(stack.versions(FIRST).await, 95, "the last versions are left for emergencies");
    assert!(stack.accepts(&row, &first).await && stack.accepts(&row, &second).await);
}

pub async fn a_secret_that_refuses_another_version_is_left_alone(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    let name = stack.secrets.shared_name(FIRST);
    stack.between.set(move |operation, body| {
        let is_full = operation == PUT && body["SecretId"] == name.as_str();
        is_full.then_some(Fault::Refuse(400, "LimitExceededException"))
    });
    let second = stack.issue(&row).await;
    let (other, third) = stack.tenant_with_token("other").await;
    assert_eq!(stack.secret_of(&row).await, Some(FIRST.next()));
    assert_eq!(stack.secret_of(&other).await, Some(FIRST.next()));
    for (row, token) in [(&row, &first), (&row, &second), (&other, &third)] {
        assert!(stack.accepts(row, token).await);
    }
    let old = stack.shared(FIRST).await.records;
    assert!(old.text(row.code()).is_some(), "the old record stays if it cannot be removed");
}

pub async fn a_secret_that_is_three_quarters_full_takes_no_more_tenants(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    let fill = async |bytes: usize| {
        let filler = "x".repeat(bytes - 1_000);
        let text = format!(r#"{{"format":1,"filler":"{filler}","tenants":{{}}}}"#);
        let record = stack.shared(FIRST).await.records;
        let filled = SharedRecords::parse(&text).unwrap();
        change_secret(&stack.secrets, FIRST, |records| {
            *records = filled;
            let RecordState::Good(record) = record.record(row.code()) else {
                panic!("acme has no record");
            };
            records.set(row.code(), &record).unwrap();
        })
        .await;
    };
    fill(ROOMY_BYTES).await;
    let (before, _) = stack.tenant_with_token("before").await;
    fill(ROOMY_BYTES + 1_000).await;
    let (after, _) = stack.tenant_with_token("after").await;
    let second = stack.issue(&row).await;
    assert_eq!(stack.secret_of(&before).await, Some(FIRST));
    assert_eq!(stack.secret_of(&after).await, Some(FIRST.next()));
    assert_eq!(stack.secret_of(&row).await, Some(FIRST), "a tenant that is in it may grow");
    fill(MAX_SECRET_BYTES + 700).await;
    let third = stack.issue(&row).await;
    assert_eq!(stack.secret_of(&row).await, Some(FIRST.next()), "up to the limit of AWS");
    for token in [&first, &second, &third] {
        assert!(stack.accepts(&row, token).await);
    }
}

pub async fn a_hundred_tenants_can_be_created_in_a_minute(stack: &Stack) {
    let begun = Instant::now();
    let mut tenants = Vec::new();
    for number in 0..100 {
        tenants.push(stack.tenant_with_token(&format!("tenant-{number}")).await);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    for (row, token) in &tenants {
        assert!(stack.accepts(row, token).await, "{}", row.name);
    }
    let newest = stack.store.newest_secret().await.unwrap();
    assert_eq!(newest, Some(FIRST.next()), "80 in the first one, and 20 in the second");
    for (number, versions) in [(FIRST, MAX_VERSIONS), (FIRST.next(), 100 - MAX_VERSIONS)] {
        assert_eq!(stack.versions(number).await, versions);
        assert!(stack.shared(number).await.bytes < ROOMY_BYTES);
    }
}
