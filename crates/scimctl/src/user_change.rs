//! `scimctl user suspend`, `activate` and `delete`: the operator changes one person.

use anyhow::bail;
use clap::{Args, Subcommand};
use scim_core::ResourceId;
use scim_lambda::directory::NEVER;
use scim_lambda::operator::user_changes::ChangedUser;
use scim_lambda::operator::{Operator, OperatorError};
use scim_lambda::store::{Stage, TenantRow};
use serde_json::json;

use crate::output::{Format, instant, print, visible};

/// What happens to the user. The identity provider may undo it at its next sync.
#[derive(Debug, Subcommand)]
pub(crate) enum ChangeCommand {
    /// Make a user inactive; the identity provider may undo it at its next sync
    Suspend(Whom),
    /// Make a user active; the identity provider may undo it at its next sync
    Activate(Whom),
    /// Delete a user as the profile says; the identity provider may undo it at its next sync
    Delete(Whom),
}

#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// The tenant's name
    tenant: String,
    /// The user, by id, userName, externalId or e-mail address
    who: String,
}

pub(crate) async fn run(
    operator: &Operator,
    command: ChangeCommand,
    format: Format,
) -> anyhow::Result<()> {
    let (ChangeCommand::Suspend(whom)
    | ChangeCommand::Activate(whom)
    | ChangeCommand::Delete(whom)) = &command;
    let tenant = operator.tenant(&whom.tenant).await?;
    let id = visible_user(operator, &tenant, &whom.who).await?;
    let (user, done) = match &command {
        ChangeCommand::Suspend(_) => (operator.suspend_user(&tenant, &id).await?, "suspended"),
        ChangeCommand::Activate(_) => (operator.activate_user(&tenant, &id).await?, "activated"),
        ChangeCommand::Delete(_) => (operator.delete_user(&tenant, &id).await?, "deleted"),
    };
    let object = json!({
        "tenant": tenant.name, "id": user.id.as_str(), "userName": user.user_name,
        "expires": user.expires.filter(|expires| *expires < NEVER).map(instant),
        "changed": user.is_changed, "done": done,
    });
    print(format, &object, &line(&tenant.name, &command, &user));
    Ok(())
}

/// The id of the visible user whom a text names.
async fn visible_user(
    operator: &Operator,
    tenant: &TenantRow,
    who: &str,
) -> anyhow::Result<ResourceId> {
    let unknown = || OperatorError::UnknownUser(who.to_owned());
    let user = operator.find_user(tenant, who).await?.ok_or_else(unknown)?;
    let (id, name) = (user.resource.id, &tenant.name);
    match user.state {
        Stage::Live => Ok(id),
        Stage::Deleted => bail!("{who} is deleted; scimctl user restore {name} {id} restores it"),
        Stage::Unmanaged => {
            bail!(
                "{who} is imported and not provisioned; scimctl user forget {name} {id} removes it"
            )
        }
    }
}

fn line(tenant: &str, command: &ChangeCommand, user: &ChangedUser) -> String {
    let who = format!("{} ({})", visible(&user.user_name), user.id);
    let until = user.expires.filter(|expires| *expires < NEVER).map(instant);
    let (done, next) = match (command, user.expires) {
        (ChangeCommand::Suspend(_), _) => ("suspended", "activate it again"),
        (ChangeCommand::Activate(_), _) => ("active", "suspend it again"),
        (ChangeCommand::Delete(_), None) => ("deleted for good", "create it again"),
        (ChangeCommand::Delete(_), Some(_)) => ("deleted", "bring it back"),
    };
    if !user.is_changed {
        return format!("{who} is {done} already.");
    }
    let more = match (command, &until) {
        (ChangeCommand::Suspend(_), Some(until)) => format!(", and is erased at {until}"),
        (ChangeCommand::Delete(_), until) if user.expires.is_some() => {
            let until = until.as_ref().map(|until| format!(" until {until}"));
            let until = until.unwrap_or_default();
            format!("; scimctl user restore {tenant} {} restores it{until}", user.id)
        }
        _ => String::new(),
    };
    format!("{who} is {done}{more}. The identity provider may {next} at its next sync.")
}
