//! `scimctl user`: restores deleted users, and removes imported ones.

use anyhow::anyhow;
use clap::Subcommand;
use scim_core::ResourceId;
use serde_json::json;

use crate::output::{Format, print};
use crate::place::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Restore a deleted user as active, with its id and data; its groups must be assigned again
    Restore {
        /// The tenant's name
        tenant: String,
        /// The user's id; scimctl export TENANT --state soft_deleted lists deleted users
        id: String,
        /// Another userName, if another user has the old one now
        #[arg(long, value_name = "NAME")]
        user_name: Option<String>,
    },
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
        UserCommand::Restore { tenant, id, user_name } => {
            let row = operator.tenant(&tenant).await?;
            let user = operator.restore_user(&row, &user_id(&id)?, user_name.as_deref()).await?;
            let (name, active) = (&user.user_name, user.is_active);
            let object = json!({
                "tenant": tenant, "id": user.id.as_str(), "userName": name, "active": active,
                "restored": true,
            });
            let how = if active { "active" } else { "inactive, because no seat is left" };
            let line =
                format!("{name} ({}) has been restored, {how}, without its groups.", user.id);
            print(format, &object, &line);
        }
        UserCommand::Forget { tenant, id } => {
            let row = operator.tenant(&tenant).await?;
            operator.forget_user(&row, &user_id(&id)?).await?;
            let object = json!({ "tenant": tenant, "id": id, "forgotten": true });
            print(format, &object, &format!("{id} has been removed; its names are free again."));
        }
    }
    Ok(())
}

fn user_id(text: &str) -> anyhow::Result<ResourceId> {
    text.parse().map_err(|()| anyhow!("{text} is not the id of a user"))
}
