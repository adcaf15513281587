//! The table of limits in `docs/OPERATIONS.md` agrees with the constants of the code, where there
//! is one; `SCIM_WRITE_DOCS=1` writes it.

use scim_core::{bulk, filter, json, members, patch, query};
use scim_lambda::auth::records::MAX_TOKENS;
use scim_lambda::budget::{
    MAX_CALLS, MAX_COMPARISONS, MAX_COMPARISONS_OF_A_RESOURCE, MAX_READ_UNITS, MAX_TIDYING_CALLS,
};
use scim_lambda::directory::limits::*;
use scim_lambda::edge::{MAX_BODY_BYTES, TIMEOUT};
use scim_lambda::operator::import::MAX_ALIKE;
use scim_lambda::store::{MAX_DOCUMENT_BYTES, MAX_EMAILS};
use scim_local::BODY_TIMEOUT;

use crate::support::documents;

/// A number with commas between its thousands.
fn count(number: impl TryInto<usize>) -> String {
    let digits = number.try_into().ok().unwrap().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(number: usize) -> String {
    match number / 1_024 {
        kib if kib >= 1_024 => format!("{} MiB", kib / 1_024),
        kib => format!("{kib} KiB"),
    }
}

#[test]
fn documented_limits_match_the_code() {
    let goes_on = "400 `tooMany` by `startIndex` or with `sortBy`; a walk by cursor goes on \
        after what was read";
    let rows = [
        ("DynamoDB calls of a request", count(MAX_CALLS), goes_on),
        ("read units of a request", count(MAX_READ_UNITS), goes_on),
        (
            "comparisons of short values that filters make in a request",
            count(MAX_COMPARISONS),
            goes_on,
        ),
        (
            "comparisons of one resource",
            count(MAX_COMPARISONS_OF_A_RESOURCE),
            "400 `tooMany`, and the detail names the resource",
        ),
        (
            "memory of a request above that of the idle function",
            "64 MiB".into(),
            "the limits below ensure it",
        ),
        (
            "calls of a request that remove the members of a deleted group",
            count(MAX_TIDYING_CALLS),
            "204; the tenant's next writes continue, and the members are invisible in the meantime",
        ),
        (
            "the time of a request",
            format!("{} s, or 1.5 s less than the function has left", TIMEOUT.as_secs_f64()),
            "503, `Retry-After: 1`; the log line says what was done until then",
        ),
        (
            "the time of a body, under `scimctl serve`",
            format!(
                "{} s after the token is accepted; 1 s and 64 KiB, which are discarded, if it is \
                not",
                BODY_TIMEOUT.as_secs()
            ),
            "408; 401",
        ),
        ("a request's body", bytes(MAX_BODY_BYTES), "413"),
        (
            "values in a body; an object counts as five",
            count(json::MAX_VALUES),
            "400 `invalidSyntax`",
        ),
        ("a resource's attributes", format!("{} of JSON", bytes(MAX_DOCUMENT_BYTES)), "413"),
        ("email addresses of a user", count(MAX_EMAILS), "400"),
        ("changes of members in a request", count(MAX_MEMBER_CHANGES), "413"),
        (
            "operations in a PATCH, in a bulk request",
            format!("{}, {}", count(patch::MAX_OPERATIONS), count(bulk::MAX_OPERATIONS)),
            "413",
        ),
        (
            "comparisons that the operations of a PATCH make, of a user and of a group",
            format!("{}, {}", count(patch::MAX_WORK), count(members::MAX_WORK)),
            "413",
        ),
        (
            "time in which a bulk request begins operations",
            "15 s".into(),
            "503 for each of the others",
        ),
        ("groups of a user", format!("{} shown", count(MAX_GROUPS_SHOWN)), "400 `tooMany`"),
        (
            "members in one answer",
            format!("{}, or {} as sent", count(MAX_MEMBERS_SHOWN), bytes(MAX_ANSWER_BYTES)),
            "400 `tooMany`; `excludedAttributes=members` reads the group",
        ),
        (
            "resources in a page",
            format!("{}, or {} as sent", count(query::MAX_COUNT), bytes(MAX_ANSWER_BYTES)),
            "the page is shorter",
        ),
        ("names in `attributes`, in `excludedAttributes`", count(query::MAX_NAMES), "400"),
        (
            "a filter",
            format!(
                "{}, {} deep, {} comparisons",
                bytes(filter::MAX_BYTES),
                count(filter::MAX_DEPTH),
                count(filter::MAX_TERMS)
            ),
            "400 `invalidFilter`",
        ),
        ("index lookups of a filter", count(MAX_LOOK_UPS), "all resources are read"),
        (
            "members of a group that `groups.value eq` looks up",
            count(MAX_MEMBERS_LOOKED_UP),
            "all users are read",
        ),
        (
            "resources that a request reads for a filter without index",
            format!(
                "{}; {} if it asks for members or groups",
                count(MAX_SCANNED),
                count(MAX_SCANNED_WITH_MORE)
            ),
            goes_on,
        ),
        (
            "resources that a sort reads",
            format!("{}, or {}", count(MAX_SCANNED), bytes(MAX_SORTED_BYTES)),
            "400 `tooMany`",
        ),
        (
            "ids of an import that are UUIDs of version 8 and begin with the same four digits",
            format!("{} of a file", count(MAX_ALIKE)),
            "the record is invalid; omit the ids, and they are generated",
        ),
        (
            "resources of a type in a tenant",
            "about seventy million".into(),
            "pages by `startIndex` go wrong",
        ),
        (
            "expired users that one request erases",
            count(ERASED_AT_ONCE),
            "the next requests continue; the users are invisible, and totals do not count them",
        ),
        (
            "active users, if the profile has seats",
            "`seats.limit`".into(),
            "403, or created inactive",
        ),
        (
            "deactivations in a window, if the profile has a brake",
            "the smaller of `brake.deactivations` and `brake.share`, or the larger, as \
             `brake.maximum` says"
                .into(),
            "429 or 403 until the brake is lifted",
        ),
        (
            "tokens of a tenant",
            format!("{MAX_TOKENS} that are valid"),
            "`scimctl` refuses to mint another",
        ),
    ];
    let rows = rows.map(|(what, limit, beyond)| vec![what.to_owned(), limit, beyond.to_owned()]);
    let table = documents::markdown(&["what", "limit", "beyond it"], rows);
    documents::hold_table("docs/OPERATIONS.md", "limits", &table);
}
