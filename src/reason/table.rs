//! The table itself. A code may be added, never renamed: logs, alarms and stored refusals have it.

use scim_core::ErrorKind;

use super::clicks::{
    ACTIONS, ASSIGNMENTS, BASE_URL, Clicks, DUPLICATE, GROUPS, MAPPING, MEMBERS, NONE, RESTART,
    RETRY, TOKEN,
};

/// What the table says about a reason.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) reason: Reason,
    pub(super) code: &'static str,
    /// The kind of its errors; `None` if the request succeeds.
    pub(super) kind: Option<ErrorKind>,
    pub(super) cause: &'static str,
    /// The sentence of the answer, where it is fixed.
    pub(super) sentence: Option<&'static str>,
    /// What to do, whichever identity provider it is.
    pub(super) cure: &'static str,
    pub(super) clicks: &'static Clicks,
}

/// Declares the reasons and their table, so that neither has one that the other lacks.
macro_rules! reasons {
    ($($reason:ident $code:literal $kind:expr, $clicks:ident, $cause:literal, $sentence:expr, $cure:literal;)*) => {
        /// Why a request was refused, or what was left out of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = $cause] $reason,)*
        }

        pub(super) const TABLE: &[Entry] = &[
            $(Entry {
                reason: Reason::$reason,
                code: $code,
                kind: $kind,
                cause: $cause,
                sentence: $sentence,
                cure: $cure,
                clicks: &$clicks,
            },)*
        ];
    };
}

reasons! {
    UserNameTaken "user-name-taken" Some(ErrorKind::Uniqueness), DUPLICATE,
        "The userName belongs to another user of the tenant.",
        None,
        "Find out which of the two people should have the name.";
    ExternalIdTaken "external-id-taken" Some(ErrorKind::Uniqueness), DUPLICATE,
        "The externalId belongs to another user of the tenant, and the profile lets only one \
            have it.",
        None,
        "Find out which of the two people should have the externalId.";
    ValueTaken "value-taken" Some(ErrorKind::Uniqueness), DUPLICATE,
        "A value that only one resource may have belongs to another one.",
        None,
        "Find out which of the two should have the value.";
    UnmanagedOwner "unmanaged-owner" Some(ErrorKind::Uniqueness), NONE,
        "The name belongs to an imported user of the product, whom SCIM does not manage.",
        None,
        "Let the profile link existing users (create.existing), or give the imported user \
            another name in the product.";
    AmbiguousUser "ambiguous-user" Some(ErrorKind::Uniqueness), NONE,
        "Several imported users have the e-mail address, so that it is not known which one to \
            link.",
        Some("Several existing users of this product have this e-mail address. Its operator \
            must say which one is meant, by removing the others."),
        "Remove all but one of the imported users with this address, and send the user again.";
    NoSeat "no-seat" Some(ErrorKind::Forbidden), ASSIGNMENTS,
        "All seats of the tenant are taken by active users.",
        Some("No seat is left for another active user. Deactivate a user, or buy more seats, \
            and send the request again."),
        "Raise seats.limit, or free a seat.";
    BrakeOn "brake-on" Some(ErrorKind::Forbidden), RESTART,
        "More users were deactivated in a short time than the brake allows.",
        Some("Unusually many users were deactivated in a short time, which may be a mistake. \
            No more users are deactivated until the operator of this service allows it again."),
        "Ask the customer whether the deactivations are meant, then lift the brake.";
    OperationOff "operation-off" Some(ErrorKind::Forbidden), ACTIONS,
        "The profile switches this operation on users off.",
        None,
        "Switch the action off in the identity provider, or allow it in the profile \
            (operations).";
    TypeOff "type-off" Some(ErrorKind::Forbidden), GROUPS,
        "The profile does not serve this type of resource.",
        None,
        "Switch its provisioning off in the identity provider, or serve it (resources).";
    TenantOff "tenant-off" Some(ErrorKind::Forbidden), RESTART,
        "SCIM is switched off for the tenant.",
        Some("SCIM is switched off for this tenant; nothing was changed. The service \
            provider's operator can switch it on."),
        "Switch the tenant on.";
    DeleteRefused "delete-refused" Some(ErrorKind::BadRequest), ACTIONS,
        "The profile does not let users be deleted (deprovision.on_delete).",
        Some("Users cannot be deleted here, because what they wrote must stay. Set active to \
            false instead."),
        "Let the identity provider deactivate users where it deletes them today.";
    InactiveCreateRefused "inactive-create-refused" Some(ErrorKind::InvalidValue), ASSIGNMENTS,
        "The profile does not let inactive users be created (create.inactive).",
        Some("active is false, but a new user must be active. Create the user when it is \
            assigned, with active true."),
        "Assign only people whose accounts are active.";
    ValueNotAllowed "value-not-allowed" Some(ErrorKind::InvalidValue), MAPPING,
        "The value is not one of those that the product accepts.",
        None,
        "Map one of the values that the sentence names.";
    WrongType "wrong-type" Some(ErrorKind::InvalidValue), MAPPING,
        "The value does not have the type of the attribute.",
        None,
        "Map a value of the type that the sentence names.";
    TooLong "too-long" Some(ErrorKind::InvalidValue), MAPPING,
        "The value is longer than the service stores.",
        None,
        "Map a shorter value.";
    TooManyValues "too-many-values" Some(ErrorKind::InvalidValue), MAPPING,
        "The attribute has more values than the service stores.",
        None,
        "Map fewer values.";
    TwoPrimaries "two-primaries" Some(ErrorKind::InvalidValue), MAPPING,
        "More than one value is marked as primary.",
        None,
        "Map primary to one of the values only.";
    UnsafeCharacters "unsafe-characters" Some(ErrorKind::InvalidValue), MAPPING,
        "The name is blank, or has characters that cannot be compared safely.",
        None,
        "Remove invisible characters from the person's name or address at its source.";
    MissingAttribute "missing-attribute" Some(ErrorKind::InvalidValue), MAPPING,
        "An attribute that the product requires has no value.",
        None,
        "Map a value to the attribute, and check that the person has one.";
    UnknownAttribute "unknown-attribute" Some(ErrorKind::InvalidPath), MAPPING,
        "No schema of the resource type defines the attribute.",
        None,
        "Correct the name of the target attribute, or remove it from the mapping.";
    AttributeDropped "attribute-dropped" None, MAPPING,
        "An attribute that the profile's schema does not have was left out of a message.",
        None,
        "Remove the attribute from the mapping, or correct its name if it resembles another one.";
    UnknownResource "unknown-resource" Some(ErrorKind::InvalidValue), MEMBERS,
        "A member is not a user or a group of the tenant.",
        Some("A value in members is not the id of a user or group of this tenant. Create the \
            user or group first."),
        "Provision the member before the group.";
    InvalidValue "invalid-value" Some(ErrorKind::InvalidValue), MAPPING,
        "A value cannot be used as it is.",
        None,
        "Map another value.";
    ReadOnly "read-only" Some(ErrorKind::Mutability), MAPPING,
        "The attribute cannot be written, or cannot be changed once it has a value.",
        None,
        "Remove the attribute from the mapping.";
    NoTarget "no-target" Some(ErrorKind::NoTarget), MAPPING,
        "A PATCH names a value that the resource does not have.",
        None,
        "Map the whole attribute, or the value that exists.";
    InvalidPath "invalid-path" Some(ErrorKind::InvalidPath), MAPPING,
        "The path of a PATCH cannot be read.",
        None,
        "Correct the target attribute in the mapping.";
    MalformedJson "malformed-json" Some(ErrorKind::InvalidSyntax), NONE,
        "The body is not JSON.",
        None,
        "Correct the template of the body, if the identity provider has one; otherwise report \
            it to its vendor.";
    MalformedMessage "malformed-message" Some(ErrorKind::InvalidSyntax), NONE,
        "The body is JSON, but not a SCIM message of this kind.",
        None,
        "Correct the template of the body, if the identity provider has one; otherwise report \
            it to its vendor.";
    MalformedRequest "malformed-request" Some(ErrorKind::BadRequest), BASE_URL,
        "The request cannot be read as HTTP.",
        None,
        "Check the base URL for characters that do not belong there.";
    NotJson "not-json" Some(ErrorKind::UnsupportedMediaType), NONE,
        "The body is compressed, or its Content-Type is not JSON.",
        None,
        "Let the client send Content-Type: application/scim+json, uncompressed.";
    InvalidFilter "invalid-filter" Some(ErrorKind::InvalidFilter), NONE,
        "The filter cannot be read, or compares an attribute in a way that its type does not \
            have.",
        None,
        "Choose a matching attribute such as userName or externalId in the identity provider.";
    FilterNotSupported "filter-not-supported" Some(ErrorKind::Forbidden), NONE,
        "The discovery endpoints do not support filters.",
        Some("Discovery endpoints do not support filters; omit filter."),
        "Let the client read the whole document.";
    TooMuchWork "too-much-work" Some(ErrorKind::TooMany), NONE,
        "The query would read or compare more than one request may.",
        None,
        "Ask for fewer resources, or filter by an attribute with an index, such as userName.";
    InvalidCursor "invalid-cursor" Some(ErrorKind::InvalidCursor), NONE,
        "A cursor is too old, or belongs to another query.",
        None,
        "Begin the walk again with an empty cursor.";
    NotFound "not-found" Some(ErrorKind::NotFound), RETRY,
        "The resource does not exist, or no longer.",
        None,
        "The identity provider remembers an id that is gone: let it look the user or the group \
            up again.";
    EndpointUnknown "endpoint-unknown" Some(ErrorKind::NotFound), BASE_URL,
        "No endpoint has this path.",
        None,
        "Check the base URL: it ends in the path that the sentence names.";
    MethodNotAllowed "method-not-allowed" Some(ErrorKind::MethodNotAllowed), BASE_URL,
        "The endpoint does not support the method.",
        None,
        "Check the base URL: a part of the path may be there twice.";
    BodyTooSlow "body-too-slow" Some(ErrorKind::RequestTimeout), RETRY,
        "The body did not arrive in time.",
        None,
        "Check the network between the client and the service.";
    ReferenceUnresolved "reference-unresolved" Some(ErrorKind::Conflict), NONE,
        "A bulkId does not stand for a resource that the request created.",
        Some("A bulkId in this operation does not stand for a resource that this request has \
            created; see the other results."),
        "Correct the operation that should have created the resource.";
    StaleVersion "stale-version" Some(ErrorKind::PreconditionFailed), RETRY,
        "The resource has changed since the version that the request names.",
        Some("The resource has changed since the version in If-Match. Retrieve it and decide \
            again."),
        "Let the client read the resource again before it changes it.";
    TooLarge "too-large" Some(ErrorKind::PayloadTooLarge), MAPPING,
        "The message or the resource is larger than the service stores.",
        None,
        "Map fewer or smaller attributes.";
    TooManyMembers "too-many-members" Some(ErrorKind::PayloadTooLarge), RETRY,
        "The request changes or reads more members than one request may.",
        None,
        "Change the members of the group in several steps.";
    TooManyOperations "too-many-operations" Some(ErrorKind::PayloadTooLarge), NONE,
        "The request has more operations than one request may.",
        None,
        "Let the client send several requests.";
    TokenRefused "token-refused" Some(ErrorKind::Unauthorized), TOKEN,
        "The token is not valid: mistyped, expired, revoked, or of another host.",
        Some("The bearer token is not accepted; paste the token that the operator issued for \
            this tenant."),
        "Mint or rotate a token, and paste it.";
    TokenMissing "token-missing" Some(ErrorKind::Unauthorized), TOKEN,
        "The request has no token, or more than one.",
        Some("Send exactly one Authorization header: Bearer, a space and the token."),
        "Paste the token where the identity provider keeps it.";
    SchemeMissing "scheme-missing" Some(ErrorKind::Unauthorized), TOKEN,
        "The word Bearer is missing before the token.",
        Some("The Authorization header must contain Bearer, a space and the token."),
        "Choose a bearer token as the way to authenticate, or set dialect.header to verbatim.";
    TokenUnchecked "token-unchecked" Some(ErrorKind::Unavailable), RETRY,
        "The token could not be checked, because the secrets do not answer.",
        Some("The token cannot be checked right now; send the request again in a moment."),
        "Look for `token store` in the function's log.";
    NotImplemented "not-implemented" Some(ErrorKind::NotImplemented), NONE,
        "The service does not have this function.",
        None,
        "Do not use it.";
    DatabaseUnavailable "database-unavailable" Some(ErrorKind::Unavailable), RETRY,
        "The table does not answer, or throttles.",
        Some("The directory is not responding; send the request again in a moment."),
        "Look for `store` in the function's log; the request can be sent again.";
    TookTooLong "took-too-long" Some(ErrorKind::Unavailable), RETRY,
        "The request ran into its deadline.",
        Some("The request took too long; send it again in a moment."),
        "Nothing, if it happens once; otherwise look at the calls and the milliseconds of its \
            line in the log.";
    Contended "contended" Some(ErrorKind::Unavailable), RETRY,
        "Other requests kept changing the same resource.",
        Some("Other requests are changing the same resource. Send the request again in a moment."),
        "Let only one client change a resource at a time.";
    NotBegun "not-begun" Some(ErrorKind::Unavailable), NONE,
        "A bulk request ran out of time or work before this operation.",
        Some("The request has already done too much work; send this operation again."),
        "Let the client send fewer operations in a request.";
    ResultUnknown "result-unknown" Some(ErrorKind::Unavailable), RETRY,
        "The change was made, but what followed it failed.",
        Some("The change was made, in part or as a whole, but its result is not known right \
            now; retrieve the resource, or send the request again in a moment."),
        "Send the request again: it completes the change.";
    ReleaseTooOld "release-too-old" Some(ErrorKind::Unavailable), NONE,
        "A newer release has stored this, or the profile has settings that this release does \
            not know.",
        Some("A newer release of the service has stored this, and the one that answers cannot \
            read it; send the request again in a moment."),
        "Deploy the newer release, or correct the profile.";
    Internal "internal" Some(ErrorKind::Internal), NONE,
        "The service has a bug, or a row of the table is not in the form that it writes.",
        Some("The directory is in an unexpected state; the operator's log has the details."),
        "Look for the error line with the id of the request in the function's log, and report \
            it.";
}
