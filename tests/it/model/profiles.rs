//! The operator changes a tenant's profile.

use scim_lambda::store::{Bounds, Collection, Kind};
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::OnDelete;

use super::Model;
use super::dice::Dice;
use crate::support::DAY;

/// For how long the service believes a profile, in seconds, and one more.
const LEARNED: i64 = 61;

/// The settings that change, and what the oracle makes of them.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether who is suspended expires.
    pub expires: bool,
    /// Whether a POST adopts who was imported.
    pub links: bool,
    /// Most active users.
    pub limit: Option<usize>,
    pub inactive_when_full: bool,
    pub on_delete: OnDelete,
    /// Whether a deleted person who comes back counts as a different user.
    pub deleted_are_new: bool,
    /// Whether a PUT of a group that does not mention members keeps them.
    pub keeps_members: bool,
    retention_days: Option<i64>,
}

impl Policy {
    /// How long a deleted or suspended user is kept, in seconds.
    pub fn retention(&self) -> i64 {
        self.retention_days.unwrap_or(90) * DAY
    }

    /// This profile with some settings chosen again.
    fn changed(mut self, dice: &mut Dice) -> Self {
        if dice.chance(40) {
            self.expires = dice.chance(60);
        }
        if dice.chance(40) {
            self.links = dice.chance(60);
        }
        if dice.chance(60) {
            self.limit = dice.chance(60).then(|| 1 + dice.below(10));
            self.inactive_when_full = dice.chance(50);
        }
        if dice.chance(40) {
            let ways = [
                OnDelete::SoftDelete,
                OnDelete::SoftDelete,
                OnDelete::Deactivate,
                OnDelete::HardDelete,
            ];
            self.on_delete = ways[dice.below(ways.len())];
            self.deleted_are_new = dice.chance(30);
            self.retention_days = dice.chance(30).then(|| 1 + dice.below(9) as i64);
        }
        if dice.chance(40) {
            self.keeps_members = dice.chance(50);
        }
        self
    }

    fn profile(&self) -> Profile {
        let number = |limit: Option<String>| limit.unwrap_or_else(|| "null".into());
        let settings = [
            (
                "deprovision.on_inactive",
                if self.expires { "suspend_with_expiry" } else { "suspend" }.to_owned(),
            ),
            ("deprovision.on_delete", serde_json::to_string(&self.on_delete).unwrap()),
            (
                "deprovision.retention_days",
                number(self.retention_days.map(|days| days.to_string())),
            ),
            ("create.existing", if self.links { "link" } else { "conflict" }.to_owned()),
            ("create.deleted", if self.deleted_are_new { "new" } else { "restore" }.to_owned()),
            ("dialect.put_members", if self.keeps_members { "keep" } else { "clear" }.to_owned()),
            ("seats.limit", number(self.limit.map(|limit| limit.to_string()))),
            (
                "seats.when_full",
                if self.inactive_when_full { "create_inactive" } else { "refuse" }.to_owned(),
            ),
        ];
        let default = Profile::preset("default", None).unwrap();
        settings.iter().fold(default, |profile, (path, value)| profile.with(path, value).unwrap())
    }
}

impl Model {
    /// The tenant gets another profile, and the service learns of it.
    pub(super) async fn set_profile(&mut self, who: usize) {
        self.settle_due(who).await;
        let before = self.parties[who].oracle.policy.clone();
        let policy = before.clone().changed(&mut self.dice);
        self.trace.note(&format!("{} gets {policy:?}", self.parties[who].code));
        let (store, row) = (&self.world.store, &self.parties[who].row);
        let users = Collection { tenant: row.key(), kind: Kind::User };
        let limit = policy.limit.map(|limit| u32::try_from(limit).unwrap());
        let profile = policy.profile().write().unwrap();
        let bounds = Bounds { expiring: policy.expires, seats: limit, brake: false };
        assert!(
            store.set_profile(row, &profile, bounds, None).await.unwrap(),
            "nobody else sets it"
        );
        self.world.clock.advance(LEARNED);
        if before.limit.is_none() && limit.is_some() {
            store.count_seats(&users).await.unwrap();
        }
        let row = store.tenant(row.code()).await.unwrap().unwrap();
        let party = &mut self.parties[who];
        party.row = row;
        party.was_limited |= limit.is_some();
        party.oracle.policy = policy;
        self.count("profile");
    }
}
