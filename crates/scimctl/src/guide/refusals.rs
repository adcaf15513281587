//! The refusals that an administrator may meet under a profile, each with its cause and cure.

use scim_lambda::reason::{Idp, Reason};
use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::{
    BrakeAnswer, Existing, Header, InactiveCreate, LinkOn, OnDelete, Switch, UnknownAttributes,
    UnknownPaths,
};

use super::facts::Facts;
use super::text::{code, table};

/// The person who can cure a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curer {
    /// The administrator of the identity provider.
    Administrator,
    /// The operator of the product.
    Operator,
}

/// The table of the reasons that can happen under the profile.
pub(super) fn text(facts: &Facts, idp: Idp) -> String {
    let rows = reasons(&facts.profile).into_iter().map(|(reason, curer)| {
        let cure = match curer {
            Curer::Administrator => reason.cure(idp),
            Curer::Operator => {
                let (product, cure) = (facts.product(), reason.what_to_do());
                let click = reason.click(idp).map(|click| format!(" {click}")).unwrap_or_default();
                format!("Ask the support of {product}, and quote for its operator: “{cure}”{click}")
            }
        };
        let status = status(reason, &facts.profile);
        vec![format!("{status} {}", code(reason.code())), reason.cause().to_owned(), cure]
    });
    table(&["status and code", "why", "what to do"], rows)
}

/// The status of the answers; a value that is left out has none.
fn status(reason: Reason, profile: &Profile) -> String {
    let is_patient = profile.brake.answer == BrakeAnswer::TooManyRequests;
    match reason {
        Reason::BrakeOn if is_patient => "429".to_owned(),
        reason if reason.status() == 200 => "no error".to_owned(),
        reason => reason.status().to_string(),
    }
}

/// The reasons that can happen under a profile, the first steps first.
fn reasons(profile: &Profile) -> Vec<(Reason, Curer)> {
    let all = [connection(profile), people(profile), values(profile), service()];
    let all = all.into_iter().flatten().filter(|(can_happen, _, _)| *can_happen);
    all.map(|(_, reason, curer)| (reason, curer)).collect()
}

/// Whether a reason can happen, the reason, and the person who can cure it.
type Row = (bool, Reason, Curer);

fn connection(profile: &Profile) -> Vec<Row> {
    use Curer::*;
    vec![
        (true, Reason::TokenRefused, Administrator),
        (true, Reason::TokenMissing, Administrator),
        (profile.dialect.header == Header::Bearer, Reason::SchemeMissing, Administrator),
        (true, Reason::EndpointUnknown, Administrator),
        (true, Reason::TenantOff, Operator),
    ]
}

fn people(profile: &Profile) -> Vec<Row> {
    use Curer::*;
    let (create, operations) = (&profile.create, &profile.operations);
    let links = create.existing == Existing::Link;
    let is_off = [operations.create, operations.update, operations.deactivate, operations.delete]
        .contains(&Switch::Off);
    let unique = profile.attributes.unique_external_id;
    let refuses_delete = profile.deprovision.on_delete == OnDelete::Refuse;
    let is_ambiguous = links && create.link_on.contains(&LinkOn::Email);
    let refuses_inactive = create.inactive == InactiveCreate::Refuse;
    vec![
        (true, Reason::UserNameTaken, Administrator),
        (unique, Reason::ExternalIdTaken, Administrator),
        (!links, Reason::UnmanagedOwner, Operator),
        (is_ambiguous, Reason::AmbiguousUser, Operator),
        (profile.seats.limit.is_some(), Reason::NoSeat, Operator),
        (profile.brake.is_set(), Reason::BrakeOn, Operator),
        (is_off, Reason::OperationOff, Administrator),
        (refuses_delete, Reason::DeleteRefused, Administrator),
        (refuses_inactive, Reason::InactiveCreateRefused, Administrator),
        (true, Reason::NotFound, Administrator),
        (!profile.groups.enabled, Reason::TypeOff, Administrator),
        (profile.groups.enabled, Reason::UnknownResource, Administrator),
        (profile.groups.enabled, Reason::TooManyMembers, Administrator),
    ]
}

fn values(profile: &Profile) -> Vec<Row> {
    use Curer::*;
    let policy = &profile.attributes;
    let mut definitions = policy.overlay.iter().map(|overlay| &overlay.attribute);
    let mut extended = policy.extensions.iter().flat_map(|extension| &extension.attributes);
    let is_required = !policy.required.is_empty()
        || definitions.clone().chain(extended.clone()).any(|attribute| attribute.required);
    let is_closed =
        definitions.any(|attribute| attribute.closed) || extended.any(|attribute| attribute.closed);
    let refuses = policy.unknown == UnknownAttributes::Refuse
        || policy.unknown_patch_path == UnknownPaths::Refuse;
    let drops = policy.unknown == UnknownAttributes::Ignore
        || policy.unknown_patch_path == UnknownPaths::Ignore;
    vec![
        (is_required, Reason::MissingAttribute, Administrator),
        (is_closed, Reason::ValueNotAllowed, Administrator),
        (true, Reason::WrongType, Administrator),
        (true, Reason::UnsafeCharacters, Administrator),
        (refuses, Reason::UnknownAttribute, Administrator),
        (drops, Reason::AttributeDropped, Administrator),
    ]
}

fn service() -> Vec<Row> {
    use Curer::*;
    vec![(true, Reason::DatabaseUnavailable, Operator), (true, Reason::Internal, Operator)]
}
