//! What happens to an account under a profile, in sentences for an administrator.

use scim_lambda::tenant::Profile;
use scim_lambda::tenant::profile::{
    Brake, BrakeAnswer, BrakeMaximum, Deleted, Email, Existing, InactiveCreate, LinkOn, OnDelete,
    OnInactive, Switch, WhenFull,
};

use super::facts::Facts;

/// How long a deleted user is kept if neither the profile nor the deployment says so.
const DEFAULT_RETENTION: u32 = 90;

/// A POST for a new person.
pub(super) fn on_create(profile: &Profile) -> String {
    let create = &profile.create;
    if profile.operations.create == Switch::Off {
        return "The request is refused (403): accounts are not created in this way.".to_owned();
    }
    let mut text = vec!["The account is created.".to_owned()];
    if create.existing == Existing::Link {
        let by = create.link_on.iter().map(|link| match link {
            LinkOn::ExternalId => "`externalId`",
            LinkOn::UserName => "`userName`",
            LinkOn::Email => "a verified email address",
        });
        let by = by.collect::<Vec<_>>().join(" or ");
        text.push(format!(
            "An account that the person already has is taken over, if it has the same {by}."
        ));
    }
    match create.inactive {
        InactiveCreate::Accept => {}
        InactiveCreate::Refuse => {
            text.push("A person who is disabled is refused (400).".to_owned());
        }
        InactiveCreate::IgnoreActive => {
            text.push("It is active even if the person is disabled.".to_owned());
        }
    }
    text.join(" ")
}

/// A PUT or PATCH that leaves `active` as it is.
pub(super) fn on_update(profile: &Profile) -> String {
    match profile.operations.update {
        Switch::On => "The account is changed.".to_owned(),
        Switch::Off => "The request is refused (403): accounts do not change.".to_owned(),
    }
}

/// `active` false.
pub(super) fn on_inactive(facts: &Facts) -> String {
    let profile = &facts.profile;
    if profile.operations.deactivate == Switch::Off {
        return "The request is refused (403): the account stays active.".to_owned();
    }
    let keeps = if profile.groups.enabled { "its data and groups" } else { "its data" };
    match profile.deprovision.on_inactive {
        OnInactive::Suspend => format!("The account is switched off, and keeps {keeps}."),
        OnInactive::SuspendWithExpiry => format!(
            "The account is switched off, and is erased after {} unless the person comes back.",
            days(facts)
        ),
    }
}

/// `active` true, or a POST for a person who was deleted.
pub(super) fn on_return(facts: &Facts) -> String {
    let profile = &facts.profile;
    let (deprovision, create) = (&profile.deprovision, &profile.create);
    let comes_back = match (deprovision.on_delete, create.deleted) {
        (OnDelete::Refuse, _) => return "The account is active again.".to_owned(),
        (OnDelete::HardDelete, _) | (_, Deleted::New) => "the person gets a new account".to_owned(),
        (OnDelete::Deactivate, Deleted::Restore) => "the account comes back".to_owned(),
        (OnDelete::SoftDelete, Deleted::Restore) => {
            format!("the account comes back within {}", days(facts))
        }
    };
    format!("The account is active again. After a deletion {comes_back}.")
}

/// DELETE.
pub(super) fn on_delete(facts: &Facts) -> String {
    let profile = &facts.profile;
    let (operations, on_delete) = (&profile.operations, profile.deprovision.on_delete);
    let is_off = operations.delete == Switch::Off
        || (on_delete == OnDelete::Deactivate && operations.deactivate == Switch::Off);
    if is_off {
        return "The request is refused (403): the account stays as it is.".to_owned();
    }
    match on_delete {
        OnDelete::SoftDelete => format!(
            "The account is gone at once. It can come back for {}; then it is erased.",
            days(facts)
        ),
        OnDelete::Deactivate => "The account is switched off and kept.".to_owned(),
        OnDelete::HardDelete => "The account is erased at once, and cannot come back.".to_owned(),
        OnDelete::Refuse => {
            "The request is refused (400): accounts are only deactivated.".to_owned()
        }
    }
}

/// The retention.
fn days(facts: &Facts) -> String {
    let profile = facts.profile.deprovision.retention_days.map(u64::from);
    match profile.or(facts.retention_days) {
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
        None => format!("{DEFAULT_RETENTION} days (unless agreed otherwise)"),
    }
}

/// What else the profile restricts, as a list of Markdown; empty if it restricts nothing.
pub(super) fn limits(facts: &Facts) -> String {
    let profile = &facts.profile;
    let all = [seats(facts), brake(facts), email(profile)];
    all.into_iter().flatten().map(|line| format!("* {line}")).collect::<Vec<_>>().join("\n")
}

fn seats(facts: &Facts) -> Option<String> {
    let seats = &facts.profile.seats;
    let limit = seats.limit?;
    let beyond = match seats.when_full {
        WhenFull::Refuse => "a further person is refused (403)",
        WhenFull::CreateInactive => "the account of a further person is created switched off",
    };
    Some(format!("{} has {limit} seats for active accounts; {beyond}.", facts.product_first()))
}

fn brake(facts: &Facts) -> Option<String> {
    let brake = &facts.profile.brake;
    let most = most(brake)?;
    let minutes = match brake.window_minutes {
        60 => "an hour".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    let status = match brake.answer {
        BrakeAnswer::TooManyRequests => 429,
        BrakeAnswer::Forbidden => 403,
    };
    let product = facts.product();
    Some(format!(
        "A brake stops mistakes: if more than {most} are switched off or deleted in {minutes}, \
         {product} refuses the rest ({status}) until its operator has looked. Tell the support of \
         {product} before you remove many people."
    ))
}

/// The maximum of a brake, if there is one.
fn most(brake: &Brake) -> Option<String> {
    let share = brake.share.map(|share| format!("{share} % of the active accounts"));
    match (brake.deactivations, share) {
        (None, None) => None,
        (Some(number), None) => Some(format!("{number} accounts")),
        (None, Some(share)) => Some(share),
        (Some(number), Some(share)) => {
            let which = match brake.maximum {
                BrakeMaximum::Smaller => "the smaller number",
                BrakeMaximum::Larger => "the larger number",
            };
            Some(format!("{number} accounts or {share}, {which} of the two,"))
        }
    }
}

fn email(profile: &Profile) -> Option<String> {
    let text = "The email address of an account is its `userName`, whatever else you map.";
    (profile.attributes.email == Email::FromUserName).then(|| text.to_owned())
}

/// What to know about groups.
pub(super) fn group_rules(profile: &Profile) -> String {
    if profile.groups.unique_display_name {
        "No two groups can have the same name, ignoring case.".to_owned()
    } else {
        String::new()
    }
}

/// What to know where groups are not served.
pub(super) fn no_groups(facts: &Facts) -> String {
    format!(
        "{} does not use groups, and refuses them (403) if you send them.",
        facts.product_first()
    )
}
