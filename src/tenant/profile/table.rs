//! The table of settings: the values that each accepts and what it means.
//!
//! It decides which values are refused and why, and it is the source of the table in
//! `docs/PROFILES.md`. The tests compare it with the types of a profile.

use serde_json::Value;

use super::error::ProfileError;
use super::takes::Takes::{self, Attributes, Boolean, Number, Paths, Schemas, Text, Word, Words};

/// One setting of a profile.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its path, such as `seats.limit`.
    pub path: &'static str,
    /// The values that it accepts.
    pub takes: Takes,
    /// Whether it can be `null`, which means that it has no value.
    pub nullable: bool,
    /// What it means: a sentence of Markdown without its period.
    pub meaning: &'static str,
}

impl Setting {
    /// The setting at a path.
    pub fn find(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.path == path)
    }

    /// Refuses a value that it does not accept.
    pub(super) fn check(&self, value: &Value) -> Result<(), ProfileError> {
        if self.nullable && value.is_null() {
            return Ok(());
        }
        let or_null = if self.nullable { ", or null" } else { "" };
        match self.takes.refusal(value) {
            Some(taken) => Err(ProfileError(format!("{} must be {taken}{or_null}", self.path))),
            None => Ok(()),
        }
    }

    const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

const fn setting(path: &'static str, takes: Takes, meaning: &'static str) -> Setting {
    Setting { path, takes, nullable: false, meaning }
}

const DAYS: Takes = Number(1, 3_650);
const ANY_NUMBER: Takes = Number(0, u32::MAX);
const SWITCH: Takes = Word(&["on", "off"]);

/// All settings, in the order of a profile's JSON document.
pub const SETTINGS: &[Setting] = &[
    setting(
        "preset",
        Text,
        "the preset that the profile was made from; in a file, the preset to begin with",
    ),
    setting(
        "deprovision.on_delete",
        Word(&["soft_delete", "deactivate", "hard_delete", "refuse"]),
        "what DELETE of a user does: keep the user until the retention ends, keep the user \
         indefinitely, erase the user at once, or answer 400; after all but `refuse` the answer \
         for this user is 404",
    ),
    setting(
        "deprovision.on_inactive",
        Word(&["suspend", "suspend_with_expiry"]),
        "what `active` false does: the user stays visible and inactive; with \
        `suspend_with_expiry` the user is erased when the retention ends",
    ),
    setting(
        "deprovision.retention_days",
        DAYS,
        "days for which a deleted user, or one suspended with expiry, is kept; `null` means the \
         deployment's number, 90 by default",
    )
    .or_null(),
    setting(
        "create.inactive",
        Word(&["accept", "refuse", "ignore_active"]),
        "what `active` false does in a POST: create the user inactive, answer 400, or create the \
        user active",
    ),
    setting(
        "create.existing",
        Word(&["conflict", "link"]),
        "what a POST for an imported user does: answer 409, or adopt the user with its id and data",
    ),
    setting(
        "create.link_on",
        Words(&["externalId", "userName", "email"]),
        "what identifies an imported user, the most reliable first; `email` is an address that \
        the import file marks as verified",
    ),
    setting(
        "create.deleted",
        Word(&["restore", "new"]),
        "what a POST for a deleted user does: bring the user back with its id and data, or create \
        a new one",
    ),
    setting("seats.limit", ANY_NUMBER, "the maximum number of active users; `null` means no limit")
        .or_null(),
    setting(
        "seats.when_full",
        Word(&["refuse", "create_inactive"]),
        "what a POST does when no seat is left: answer 403, or create the user inactive",
    ),
    setting(
        "attributes.required",
        Paths,
        "attributes that each user must have in addition to `userName`",
    ),
    setting(
        "attributes.kept",
        Paths,
        "the only attributes that a user can have in addition to `userName`, `externalId` and \
        `active`; an empty list keeps all",
    ),
    setting(
        "attributes.unknown",
        Word(&["ignore", "refuse"]),
        "what happens to other attributes in POST and PUT: they are left out, or the answer is 400",
    ),
    setting(
        "attributes.unknown_patch_path",
        Word(&["ignore", "refuse"]),
        "what happens to a PATCH operation whose path names no attribute: it is left out, or the \
         answer is 400",
    ),
    setting(
        "attributes.overlay",
        Attributes,
        "further attributes in existing schemas, or other definitions of their attributes",
    ),
    setting("attributes.extensions", Schemas, "further schemas of users"),
    setting(
        "attributes.email",
        Word(&["as_sent", "from_user_name"]),
        "where email addresses come from: `emails`, or the userName as the one address, whatever \
        `emails` says",
    ),
    setting(
        "attributes.unique_external_id",
        Boolean,
        "whether a second user with the same externalId is refused with 409",
    ),
    setting(
        "attributes.groups",
        Word(&["request", "default"]),
        "whether answers show the `groups` of a user: only when the request names them, or by \
        default, which takes further reads for each user in an answer",
    ),
    setting(
        "dialect.idp",
        Text,
        "the identity provider whose dialect was set, which error messages name; in a file, the \
        dialect to set",
    )
    .or_null(),
    setting(
        "dialect.messages",
        Word(&["tolerant", "strict"]),
        "whether messages can depart from the letter of the RFCs: filters, operations, the types \
        of values, `schemas`",
    ),
    setting(
        "dialect.replace_without_match",
        Word(&["create", "refuse"]),
        "what a PATCH `replace` whose filter finds nothing does: create the value that the filter \
         describes, or answer 400 `noTarget`",
    ),
    setting(
        "dialect.header",
        Word(&["bearer", "verbatim"]),
        "how the token appears in the Authorization header: after the word Bearer, or also alone",
    ),
    setting(
        "dialect.group_patch",
        Word(&["resource", "no_content"]),
        "what a PATCH of a group answers: 200 with the group while it has at most 100 members, or \
        204; a request that names attributes is answered with 200",
    ),
    setting(
        "dialect.put_members",
        Word(&["clear", "keep"]),
        "what a PUT of a group that omits `members` does: remove all of them, or keep them; null, \
         `\"\"` and `[]` always remove them",
    ),
    setting(
        "discovery.pagination",
        SWITCH,
        "whether `/ServiceProviderConfig` has `pagination` (RFC 9865), because of which some \
         clients refuse the whole document; pages work either way",
    ),
    setting(
        "discovery.etag",
        SWITCH,
        "whether `/ServiceProviderConfig` says that entity tags are supported, in which case some \
         clients send `If-Match`; entity tags work either way",
    ),
    setting(
        "brake.deactivations",
        ANY_NUMBER,
        "the maximum number of users that can be deactivated or deleted in a window; `null` means \
         any number",
    )
    .or_null(),
    setting(
        "brake.share",
        Number(1, 100),
        "the same as a percentage of the users who are active when the window begins; at least one \
         user",
    )
    .or_null(),
    setting(
        "brake.maximum",
        Word(&["smaller", "larger"]),
        "which of the two numbers is the maximum if both are set",
    ),
    setting(
        "brake.window_minutes",
        Number(1, 10_080),
        "the length of the window in minutes, at most a week",
    ),
    setting(
        "brake.answer",
        Word(&["too_many_requests", "forbidden"]),
        "the answer to a deactivation beyond the brake: 429, so that the identity provider tries \
        again, or 403, so that it reports an error",
    ),
    setting(
        "groups.enabled",
        Boolean,
        "whether groups are served; if not, `GET /Groups` answers with an empty list, and a write \
        with 403",
    ),
    setting(
        "groups.unique_display_name",
        Boolean,
        "whether a second group with the same displayName, ignoring case, is refused with 409",
    ),
    setting("operations.create", SWITCH, "POST of a user; off is 403"),
    setting(
        "operations.update",
        SWITCH,
        "PUT and PATCH of a user, except for `active`; off is 403",
    ),
    setting(
        "operations.deactivate",
        SWITCH,
        "making a user inactive, by DELETE too where `deprovision.on_delete` is `deactivate`; off \
        is 403",
    ),
    setting("operations.delete", SWITCH, "DELETE of a user; off is 403"),
    setting(
        "token.reveal",
        Word(&["once", "again"]),
        "whether `scimctl token show` can show a token that was minted under this setting again",
    ),
    setting("token.lifetime_days", DAYS, "days for which a new token is valid"),
    setting(
        "token.overlap_days",
        Number(0, 365),
        "days for which the other tokens stay valid after `scimctl token rotate`",
    ),
    setting(
        "address.base_url",
        Text,
        "the base URL in the locations of resources, whose path is served too; `null` means that \
         of the deployment",
    )
    .or_null(),
    setting(
        "address.base_path",
        Text,
        "the path at the deployment's host that is served in addition to `/scim/v2` and stands in \
        the locations of resources, where `address.base_url` is `null`",
    )
    .or_null(),
    setting(
        "address.host",
        Text,
        "the only host at which the tenant's tokens are valid; `null` means any host",
    )
    .or_null(),
    setting(
        "audit.retention_days",
        DAYS,
        "days for which the log keeps a change; `null` means the deployment's number, 365 by \
         default",
    )
    .or_null(),
];
