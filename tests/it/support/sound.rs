//! What is true of a tenant's rows at any time: each user is counted once, and each pointer leads
//! to a user.

use std::collections::{BTreeMap, BTreeSet};

use super::customer::Customer;
use super::handles::Row;

/// Compares all rows of the users of a tenant with each other. Rows that have expired count as
/// gone.
pub async fn check(customer: &Customer) {
    // A user who expires while visible is erased by the next request.
    assert_eq!(customer.send("GET", "/Users?count=0", None).await.status, 200);
    let now = customer.world.clock.seconds();
    let mut partitions: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in customer.world.rows().await {
        if let Some(partition) = row.p().strip_prefix(customer.row.code().as_str())
            && row.expires().is_none_or(|expiry| expiry > now)
        {
            partitions.entry(partition.to_owned()).or_default().push(row);
        }
    }
    let none = Vec::new();
    let rows = |partition: &str| partitions.get(partition).unwrap_or(&none);
    let users: BTreeMap<&str, &Row> = rows("#U")
        .iter()
        .filter(|row| !row.s().contains('!'))
        .map(|row| (row.about(row.s()), row))
        .collect();
    // Each claim and pointer has an owner, which knows it, in the same state and until the same
    // time.
    let claims = rows("#U").iter().filter(|row| row.s().contains('!')).map(|row| ("uk", row));
    let pointers = claims
        .chain(rows("#X").iter().map(|row| ("es", row)))
        .chain(rows("#E").iter().map(|row| ("em", row)));
    let mut held = BTreeSet::new();
    for (kind, row) in pointers {
        let owner = users
            .get(row.text("i").unwrap())
            .unwrap_or_else(|| panic!("a pointer without an owner: {row:?}"));
        let state = owner.text("st").filter(|state| *state != "live");
        assert_eq!(
            (row.text("st"), row.expires()),
            (state, owner.expires()),
            "{row:?} of {owner:?}"
        );
        if kind != "em" {
            assert_eq!(
                owner.text(kind),
                Some(row.s()),
                "a row that its owner does not know: {row:?}"
            );
        }
        held.insert((kind, row.text("i").unwrap()));
    }
    for (id, user) in &users {
        // Another user may have taken the name of a deleted one.
        if user.text("st") != Some("deleted") {
            assert!(held.contains(&("uk", *id)), "a user without its name: {user:?}");
            assert_eq!(held.contains(&("es", *id)), user.text("e").is_some(), "{user:?}");
        }
    }
    // Counters, seats and due rows match a recount.
    let live: Vec<&&Row> = users.values().filter(|user| user.text("st") == Some("live")).collect();
    let active = live.iter().filter(|user| user.flag("a") == Some(true)).count();
    let sum = |name: &str| {
        let counters = rows("#C").iter().filter(|row| row.s().starts_with("U#"));
        counters.filter_map(|row| row.number(name)).sum::<i64>()
    };
    assert_eq!((sum("n"), sum("a")), (live.len() as i64, active as i64), "the counters");
    if let Some(seats) = rows("#C").iter().find(|row| row.s() == "seats") {
        assert_eq!(seats.number("used"), Some(active as i64), "the seats");
    }
    let due: BTreeSet<String> = rows("#D").iter().map(|row| row.s().to_owned()).collect();
    let suspended = live.iter();
    let suspended =
        suspended.filter_map(|user| Some(format!("{:012}#{}", user.expires()?, user.s())));
    assert_eq!(due, suspended.collect(), "the users who are due");
}
