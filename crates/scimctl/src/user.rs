//! `scimctl user`: lists, shows and changes users, restores deleted ones, and removes imported ones.

use std::collections::BTreeSet;

use anyhow::anyhow;
use clap::Subcommand;
use scim_core::ResourceId;
use scim_lambda::directory::{RestoreOptions, RestoredGroups};
use scim_lambda::operator::users::RestoredUser;
use serde_json::{Value, json};

use crate::output::{Format, instant, print};
use crate::people::{self, ListOptions};
use crate::person;
use crate::place::Place;
use crate::user_change::{self, ChangeCommand};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List users: the first hundred, those in a state, or those that match a filter
    List(ListOptions),
    /// Show all that is known about a person, and why they are not in
    Show {
        /// The tenant's name
        tenant: String,
        /// The person's userName, externalId, e-mail address or id
        who: String,
    },
    /// Restore a deleted user as it was: with its id and data, active or not, and in its groups
    Restore {
        /// The tenant's name
        tenant: String,
        /// The user's userName, externalId, e-mail address or id
        who: String,
        /// Another userName, if another user has the old one now
        #[arg(long, value_name = "NAME")]
        user_name: Option<String>,
        /// Do not make the user a member of its groups again
        #[arg(long)]
        without_groups: bool,
    },
    #[command(flatten)]
    Change(ChangeCommand),
    /// Remove a user that was imported but is not provisioned yet
    Forget {
        /// The tenant's name
        tenant: String,
        /// The user's id; scimctl export TENANT --state unmanaged lists imported users
        id: String,
    },
}

pub(crate) async fn run(place: &Place, command: UserCommand, format: Format) -> anyhow::Result<()> {
    let operator = &place.connect().await?.operator;
    match command {
        UserCommand::List(options) => people::list(operator, &options, format).await?,
        UserCommand::Show { tenant, who } => person::show(operator, &tenant, &who, format).await?,
        UserCommand::Restore { tenant, who, user_name, without_groups } => {
            let row = operator.tenant(&tenant).await?;
            let options = RestoreOptions {
                user_name: user_name.as_deref(),
                without_groups,
                ..RestoreOptions::default()
            };
            let user = operator
                .restore_user(&row, &operator.find_deleted(&row, &who).await?, options)
                .await?;
            print(format, &object(&tenant, &user), &line(&user, without_groups));
        }
        UserCommand::Change(command) => user_change::run(operator, command, format).await?,
        UserCommand::Forget { tenant, id } => {
            let row = operator.tenant(&tenant).await?;
            operator.forget_user(&row, &user_id(&id)?).await?;
            let object = json!({ "tenant": tenant, "id": id, "forgotten": true });
            print(format, &object, &format!("{id} has been removed; its names are free again."));
        }
    }
    Ok(())
}

/// A restored user for scripts.
fn object(tenant: &str, user: &RestoredUser) -> Value {
    let groups = user.groups.as_ref();
    let ids = |ids: &BTreeSet<ResourceId>| -> Vec<String> {
        ids.iter().map(|id| id.as_str().to_owned()).collect()
    };
    json!({
        "tenant": tenant, "id": user.id.as_str(), "userName": user.user_name,
        "active": user.is_active, "expires": user.expires.map(instant), "restored": true,
        "groups": groups.map(|groups| ids(&groups.joined)),
        "groupsGone": groups.map(|groups| ids(&groups.gone)), "leftOut": user.left_out,
    })
}

/// A restored user for people.
fn line(user: &RestoredUser, without_groups: bool) -> String {
    let how = match (user.is_active, user.lacks_seat, user.expires) {
        (true, _, _) => "active".to_owned(),
        (false, true, _) => "inactive, because no seat is left".to_owned(),
        (false, false, Some(expires)) => format!("inactive, and expires at {}", instant(expires)),
        (false, false, None) => "inactive".to_owned(),
    };
    let groups = match &user.groups {
        None => {
            "Its groups are not known, because an earlier release deleted it: assign them again."
                .to_owned()
        }
        Some(_) if without_groups => "It is in no group.".to_owned(),
        Some(groups) => groups_line(groups),
    };
    let left_out = match user.left_out.as_slice() {
        [] => String::new(),
        names => format!(" It has no {} now: another user has the value.", names.join(" and no ")),
    };
    format!("{} ({}) has been restored, {how}. {groups}{left_out}", user.user_name, user.id)
}

fn groups_line(RestoredGroups { joined, gone }: &RestoredGroups) -> String {
    let again = match joined.len() {
        0 if gone.is_empty() => "It was in no group.".to_owned(),
        0 => "It is in no group.".to_owned(),
        1 => "It is in its group again.".to_owned(),
        number => format!("It is in its {number} groups again."),
    };
    if gone.is_empty() {
        return again;
    }
    let gone: Vec<&str> = gone.iter().map(ResourceId::as_str).collect();
    format!("{again} It was also in groups that no longer exist: {}.", gone.join(", "))
}

fn user_id(text: &str) -> anyhow::Result<ResourceId> {
    text.parse().map_err(|()| anyhow!("{text} is not the id of a user"))
}
