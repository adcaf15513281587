//! `scimctl user`: what the operator undoes.

use anyhow::anyhow;
use clap::Subcommand;
use scim_core::ErrorKind;
use scim_lambda::store::Kind;
use serde_json::{Value, json};

use crate::operator::Operator;
use crate::place::Place;
use crate::print;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Bring a deleted user back, active, with its id and data; its groups must be assigned again
    Restore {
        /// The tenant's name
        tenant: String,
        /// The user's id; scimctl export TENANT shows who was deleted
        id: String,
        /// Another userName, if somebody else has the old one by now
        #[arg(long, value_name = "NAME")]
        user_name: Option<String>,
    },
    /// Remove a user who was imported and is not provisioned yet
    Forget {
        /// The tenant's name
        tenant: String,
        /// The user's id; scimctl export TENANT --state unmanaged shows who waits
        id: String,
    },
}

pub(crate) async fn run(place: &Place, command: UserCommand, json: bool) -> anyhow::Result<()> {
    let (UserCommand::Restore { tenant, id, .. } | UserCommand::Forget { tenant, id }) = &command;
    let connection = place.connect().await?;
    let operator = Operator::new(&connection, tenant).await?;
    let id = id.parse().map_err(|()| anyhow!("{id} is no id of a user"))?;
    let mut types = operator.tenant.types.iter();
    let users = types
        .find(|resource_type| resource_type.kind == Kind::User)
        .ok_or_else(|| anyhow!("there are no users"))?;
    let UserCommand::Restore { user_name, .. } = &command else {
        operator.directory.forget(operator.call(), users, &id).await?;
        let object = json!({ "tenant": tenant, "id": id.as_str(), "forgotten": true });
        print(json, &object, &format!("{id} is forgotten; the names it had are free."));
        return Ok(());
    };
    let back = operator
        .directory
        .restore_by_operator(operator.call(), users, &id, user_name.as_deref())
        .await;
    let user = back.map_err(|error| match error.kind {
        // Other unique values it comes back without.
        ErrorKind::Uniqueness => {
            let name = user_name
                .as_deref()
                .map_or_else(|| format!("the userName of {id}"), |name| format!("{name:?}"));
            anyhow!("Somebody else has {name} by now; give another one by --user-name.")
        }
        _ => error.into(),
    })?;
    let name = user.attributes.text("userName").unwrap_or_default();
    let active = user.attributes.get("active") == Some(&Value::Bool(true));
    let how = if active { "active" } else { "inactive, since no seat is left" };
    print(
        json,
        &json!({ "tenant": tenant, "id": user.id.as_str(), "userName": name, "active": active, "restored": true }),
        &format!("{name} ({}) is back, {how}, and in no group.", user.id),
    );
    Ok(())
}
