//! What the identity provider of a storm sees, and a write that changes nothing of it.

use super::oracle::{Standing, State};
use super::storm::Storm;
use crate::support::handles::{member_ids, set};

impl Storm {
    /// Writes what no undo is about.
    pub async fn write(&self) {
        for id in self.visible().into_iter().take(2) {
            let path = format!("/Users/{id}");
            assert_eq!(self.send(0, "PATCH", &path, set("title", "Dr")).await.status, 200);
            self.customer.world.clock.advance(61);
        }
    }

    /// The directory as its identity provider sees it; those who are gone as `like` has them.
    pub async fn seen(&self, like: &State) -> State {
        let mut seen = State::default();
        let users = self.send(0, "GET", "/Users?count=200&attributes=active", None).await.body;
        for user in users["Resources"].as_array().into_iter().flatten() {
            let active = user["active"].as_bool().unwrap();
            let standing = if active { Standing::Active } else { Standing::Inactive };
            seen.users.insert(user["id"].as_str().unwrap().to_owned(), standing);
        }
        for (id, standing) in &like.users {
            let gone = if standing.is_visible() { Standing::Lost } else { *standing };
            seen.users.entry(id.clone()).or_insert(gone);
        }
        let groups = self.send(0, "GET", "/Groups?count=200", None).await.body;
        for group in groups["Resources"].as_array().into_iter().flatten() {
            let id = group["id"].as_str().unwrap().to_owned();
            let members = member_ids(group).into_iter();
            seen.members.extend(members.map(|member| (id.clone(), member)));
            seen.groups.insert(id);
        }
        seen
    }
}
