//! The promises about pages and walks.

use scim_core::ResourceId;
use scim_lambda::store::Page;

use super::table::{Table, committed};

async fn page(table: &Table, index: usize, count: usize) -> Page {
    table.store.page(&table.users(), index, count, table.now(), &[]).await.unwrap()
}

fn ids(page: &Page) -> Vec<ResourceId> {
    page.portion.resources.iter().map(|resource| resource.id.clone()).collect()
}

/// Creates users, and returns their ids in the order of a list.
async fn people(table: &Table, number: usize) -> Vec<ResourceId> {
    for n in 0..number {
        table.user(&format!("u{n}@x.org")).await;
    }
    let whole = page(table, 0, number).await;
    assert_eq!((whole.total, whole.portion.resources.len()), (number, number));
    ids(&whole)
}

pub async fn pages_follow_one_order(table: &Table) {
    let people = people(table, 11).await;
    let mut paged = Vec::new();
    for index in [0, 4, 8] {
        let page = page(table, index, 4).await;
        assert_eq!(page.total, 11);
        paged.extend(ids(&page));
    }
    assert_eq!(paged, people);
    assert!(ids(&page(table, 11, 4).await).is_empty());
}

pub async fn a_walk_returns_each_resource_once(table: &Table) {
    let people = people(table, 11).await;
    let (mut walked, mut position) = (Vec::new(), String::new());
    loop {
        let portion = table.store.after(&table.users(), &position, 3, table.now()).await.unwrap();
        walked.extend(portion.resources.iter().map(|resource| resource.id.clone()));
        let Some(last) = portion.resources.last() else { break };
        position = last.key.clone();
    }
    assert_eq!(walked, people);
}

pub async fn a_deleted_user_is_not_listed(table: &Table) {
    let mut people = people(table, 5).await;
    let gone = people.remove(2);
    committed(table.delete_user(&table.stored_user(&gone).await).await);
    let page = page(table, 0, 10).await;
    assert_eq!((page.total, ids(&page)), (4, people));
}
