//! What holds for the rows of the table at any time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use scim_lambda::store::{Collection, Kind};

use super::Party;
use super::oracle::Oracle;
use super::shapes::{Life, User};
use crate::support::World;
use crate::support::handles::Row;

/// What a partition of a tenant holds, or how the name of one begins.
const PARTITIONS: [&str; 12] =
    ["#T", "#U", "#G", "#X", "#E", "#C", "#D", "#L", "#F", "#M#", "#R#", "#P"];
/// The limit where there was one before.
const NO_LIMIT: i64 = 1_000_000_000_000;

/// Looks at every row of the table.
pub(super) async fn check(world: &World, parties: &[Party; 2]) {
    let rows = world.rows().await;
    let known = |row: &Row| row.p() == "tenants" || row.p() == format!("{}#T", world.tenant.code());
    let known =
        |row: &Row| known(row) || parties.iter().any(|party| row.p().starts_with(&party.code));
    assert!(rows.iter().all(known), "a row without an owner");
    let own: Vec<BTreeSet<&str>> = parties.iter().map(|party| ids(&party.oracle)).collect();
    for (party, foreign) in parties.iter().zip(own.iter().rev()) {
        let mut partitions: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            if let Some(partition) = row.p().strip_prefix(&party.code) {
                partitions.entry(partition).or_default().push(row);
                // A refusal has the id that the client asked for, whosever it is.
                assert!(
                    partition == "#F" || row.ids().all(|id| !foreign.contains(id)),
                    "another tenant's id: {:?}",
                    row.0
                );
            }
        }
        Look { party, oracle: &party.oracle, partitions }.look();
    }
}

fn ids(oracle: &Oracle) -> BTreeSet<&str> {
    let groups = oracle.groups.iter().map(|group| &group.id).chain(&oracle.gone_groups);
    oracle.users.iter().map(|user| &user.id).chain(groups).map(String::as_str).collect()
}

/// Whether a claim or a pointer says the same about its owner as the owner's own row.
fn leads_to(pointer: &Row, owner: &Row) -> bool {
    let state = owner.text("st").filter(|state| *state != "live");
    (pointer.text("st"), pointer.number("x")) == (state, owner.number("x"))
}

/// The rows of a tenant by their partitions, and the tenant as the oracle knows it.
struct Look<'a> {
    party: &'a Party,
    oracle: &'a Oracle,
    partitions: BTreeMap<&'a str, Vec<&'a Row>>,
}

impl<'a> Look<'a> {
    fn rows(&self, partition: &str) -> &[&'a Row] {
        self.partitions.get(partition).map_or(&[], Vec::as_slice)
    }

    fn look(&self) {
        let known = |partition: &&str| PARTITIONS.iter().any(|known| partition.starts_with(known));
        assert!(
            self.partitions.keys().all(known),
            "a partition without an owner: {:?}",
            self.partitions.keys()
        );
        self.users();
        self.groups();
        for kind in ["U", "G"] {
            self.counters(kind);
        }
        self.memberships();
        self.due();
        self.seats();
    }

    /// An id as keys have it.
    fn key(&self, id: &str) -> String {
        let users = Collection { tenant: self.party.row.key(), kind: Kind::User };
        users.key(&id.parse().unwrap())
    }

    /// The rows that stand for resources themselves, by id.
    fn resources(&self, kind: &str) -> BTreeMap<&'a str, &'a Row> {
        let rows = self.rows(if kind == "U" { "#U" } else { "#G" }).iter();
        rows.filter(|row| !row.s().contains('!')).map(|row| (row.about(row.s()), *row)).collect()
    }

    fn users(&self) {
        let resources = self.resources("U");
        let kept = (0..self.oracle.users.len()).filter(|index| {
            let user = &self.oracle.users[*index];
            user.lives() || user.life == Life::Unmanaged || self.oracle.can_return(*index)
        });
        let mut kept: BTreeMap<&str, usize> =
            kept.map(|index| (self.oracle.users[index].id.as_str(), index)).collect();
        for (id, row) in &resources {
            let Some(index) = kept.remove(id) else {
                let over = row.number("x").is_some_and(|expiry| expiry <= self.oracle.seconds());
                assert!(over, "a user that the oracle does not know: {:?}", row.0);
                continue;
            };
            let user = &self.oracle.users[index];
            let state = match user.life {
                Life::Live => "live",
                Life::Unmanaged => "unmanaged",
                _ => "deleted",
            };
            assert_eq!((row.text("st"), row.number("x")), (Some(state), user.expires), "{id}");
            assert_eq!(row.number("v"), Some(user.history.version as i64), "{id}");
            let names = (row.text("un"), row.text("e"), row.texts("em"));
            assert_eq!(
                names,
                (Some(&*user.is.form()), user.is.external_id.as_deref(), user.pointers()),
                "{id}"
            );
            assert_eq!(row.0["a"], AttributeValue::Bool(user.is.active == Some(true)), "{id}");
        }
        assert!(kept.is_empty(), "users without rows: {kept:?}");
        self.claims("U", &resources);
        self.external_ids(&resources);
        self.emails(&resources);
    }

    /// A claim has an owner who knows it and is what it says, with the same expiry; a live or
    /// imported owner has its claim, a deleted one until another user takes the name.
    fn claims(&self, kind: &str, resources: &BTreeMap<&str, &Row>) {
        let rows = self.rows(if kind == "U" { "#U" } else { "#G" }).iter();
        let claims: BTreeMap<&str, &&Row> = rows
            .filter(|row| row.s().split_once('!').is_some_and(|(_, rest)| rest.len() > 1))
            .map(|row| (row.s(), row))
            .collect();
        for (key, claim) in &claims {
            let owner = claim.text("i").and_then(|owner| resources.get(owner));
            let held =
                owner.is_some_and(|owner| owner.text("uk") == Some(key) && leads_to(claim, owner));
            assert!(held || self.is_over(claim), "a claim without owner: {:?}", claim.0);
        }
        for (id, row) in resources {
            let own = claims
                .get(row.text("uk").unwrap())
                .is_some_and(|claim| claim.text("i") == Some(id));
            assert!(own || row.text("st") == Some("deleted"), "no claim of its own: {id}");
        }
    }

    fn is_over(&self, row: &Row) -> bool {
        row.number("x").is_some_and(|expiry| expiry <= self.oracle.seconds())
    }

    /// An owner of an externalId has the row that it says, with its own expiry; there are no
    /// others.
    fn external_ids(&self, users: &BTreeMap<&str, &Row>) {
        let groups = self.resources("G");
        let mut pointers: BTreeMap<&str, &&Row> =
            self.rows("#X").iter().map(|row| (row.s(), row)).collect();
        for (id, row) in users.iter().chain(&groups) {
            let Some(key) = row.text("es") else { continue };
            let own = pointers.get(key).filter(|pointer| pointer.text("i") == Some(id));
            // Another one may have taken the place of who has expired.
            assert!(own.is_some() || self.is_over(row), "no row for the externalId of {id}");
            if own.is_some_and(|own| leads_to(own, row)) {
                pointers.remove(key);
            }
        }
        assert!(pointers.is_empty(), "externalIds without an owner: {:?}", pointers.values());
    }

    /// As many pointers as addresses, all with the owner's state and expiry.
    fn emails(&self, users: &BTreeMap<&str, &Row>) {
        let mut pointers: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.rows("#E") {
            let owner = row.text("i").unwrap();
            assert!(row.s().ends_with(&format!("#{}", self.key(owner))), "{:?}", row.0);
            let leads = users.get(owner).is_some_and(|owner| leads_to(row, owner));
            assert!(leads, "an e-mail pointer without an owner: {:?}", row.0);
            *pointers.entry(owner).or_default() += 1;
        }
        for (id, row) in users {
            let (own, found) =
                (row.texts("em").len(), pointers.get(id).copied().unwrap_or_default());
            assert_eq!(found, own, "e-mail pointers of {id}");
        }
    }

    /// Exactly the users who expire while they are visible are due, in the order of time.
    fn due(&self) {
        let due: BTreeSet<String> = self.rows("#D").iter().map(|row| row.s().to_owned()).collect();
        let expiring = self.oracle.expiring().into_iter().map(|index| &self.oracle.users[index]);
        let key = |user: &User| self.key(&user.id);
        let expected = expiring.map(|user| format!("{:012}#{}", user.expires.unwrap(), key(user)));
        assert_eq!(due, expected.collect(), "the users who are due");
    }

    /// The seats that are taken are those of the active users, for as long as there is a limit.
    fn seats(&self) {
        let row = self.rows("#C").iter().find(|row| row.s() == "seats");
        assert_eq!(row.is_some(), self.party.was_limited, "a row of seats");
        let Some(row) = row else { return };
        let limit = self.oracle.policy.limit;
        assert_eq!(row.number("lim"), Some(limit.map_or(NO_LIMIT, |limit| limit as i64)));
        if limit.is_none() {
            return;
        }
        assert_eq!(row.number("used"), Some(self.oracle.active() as i64), "seats taken");
    }

    fn groups(&self) {
        let resources = self.resources("G");
        let expected: BTreeSet<&str> =
            self.oracle.groups.iter().map(|group| group.id.as_str()).collect();
        assert_eq!(resources.keys().copied().collect::<BTreeSet<_>>(), expected, "groups");
        self.claims("G", &resources);
        let mut heads: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in self.rows("#G") {
            if let Some((id, _)) = row.s().split_once('!').filter(|(_, shard)| shard.len() == 1) {
                heads.entry(id).or_default().push(row);
            }
        }
        assert_eq!(
            heads.keys().copied().collect::<BTreeSet<_>>(),
            expected,
            "groups by their heads"
        );
        for group in &self.oracle.groups {
            let (own, heads) = (resources[&*group.id], &heads[&*group.id]);
            assert_eq!(heads.len(), 16, "heads of {}", group.id);
            let version: i64 = own.number("v").unwrap()
                + heads.iter().filter_map(|head| head.number("v")).sum::<i64>();
            assert_eq!(version, group.history.version as i64, "version of {}", group.id);
            let counted: Vec<i64> = heads.iter().map(|head| head.number("n").unwrap()).collect();
            assert!(
                counted.iter().all(|members| *members >= 0),
                "{counted:?}: members left by another head"
            );
            assert_eq!(
                counted.iter().sum::<i64>(),
                group.is.members.len() as i64,
                "members of {}",
                group.id
            );
        }
    }

    /// The counters are what a recount by sort keys gives.
    fn counters(&self, kind: &str) {
        let mut recount: BTreeMap<(String, String), i128> = BTreeMap::new();
        for row in self.resources(kind).into_values().filter(|row| row.text("st") == Some("live")) {
            // Six bits for the row, seven for the bucket.
            let place = usize::from_str_radix(&row.s()[..4], 16).unwrap() / 8;
            let bucket = place % 128;
            let mut add = |name: String, more| {
                *recount.entry((format!("{kind}#{:02x}", place / 128), name)).or_default() += more;
            };
            add("n".into(), 1);
            // Nine buckets of four digits each in a number.
            add(format!("b{:x}", bucket / 9), 10_000_i128.pow((bucket % 9).try_into().unwrap()));
            if row.0["a"] == AttributeValue::Bool(true) {
                add("a".into(), 1);
            }
        }
        let rows = self.rows("#C").iter().filter(|row| row.s().starts_with(kind));
        let counted = rows.flat_map(|row| {
            let names = row.0.keys().filter(|name| !["p", "s", "k", "f"].contains(&name.as_str()));
            names.map(|name| {
                (
                    (row.s().to_owned(), name.clone()),
                    row.0[name].as_n().unwrap().parse::<i128>().unwrap(),
                )
            })
        });
        let counted: BTreeMap<_, _> = counted.filter(|(_, number)| *number != 0).collect();
        assert_eq!(counted, recount, "counters");
    }

    /// Each membership is in the table twice, once from either side, and nothing else is.
    fn memberships(&self) {
        let pairs = |side: &str| -> BTreeSet<(String, String, String)> {
            let rows = self
                .partitions
                .iter()
                .filter_map(|(partition, rows)| Some((partition.strip_prefix(side)?, rows)));
            let pairs = rows.flat_map(|(of, rows)| {
                rows.iter().map(|row| {
                    let about = row.about(row.s()).to_owned();
                    (of.to_owned(), about, row.text("mt").unwrap().to_owned())
                })
            });
            pairs.collect()
        };
        let expected = self.oracle.groups.iter().flat_map(|group| {
            let members = group.is.members.iter();
            members.map(|id| {
                let kind = if self.oracle.is_live_user(id) { "U" } else { "G" };
                (group.id.clone(), id.clone(), kind.to_owned())
            })
        });
        let expected: BTreeSet<_> = expected.collect();
        assert_eq!(pairs("#M#"), expected, "members");
        let turned = expected.into_iter();
        let turned = turned.map(|(group, member, kind)| (self.key(&member), group, kind)).collect();
        assert_eq!(pairs("#R#"), turned, "memberships");
    }
}
