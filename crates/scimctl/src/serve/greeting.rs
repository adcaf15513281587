//! What `serve` prints when it is ready.

use scim_lambda::operator::tenants::CreatedTenant;
use scim_local::data_dir::Served;
use scim_local::{REGION, SECRET_ACCESS_KEY, STACK, TABLE};
use serde_json::{Value, json};

use super::webhook::Target;
use crate::output::Format;
use crate::place::Place;

/// The tenant in the first lines.
pub(super) enum FirstTenant {
    /// The tenant `demo`, which was created with its token.
    Created(Box<CreatedTenant>),
    /// A tenant that existed already, by name.
    Existing(String),
}

/// The facts in the first lines.
pub(super) struct Greeting<'g> {
    pub(super) served: &'g Served,
    pub(super) tenant: &'g FirstTenant,
    pub(super) place: &'g Place,
    pub(super) ephemeral: bool,
    pub(super) webhook: Option<&'g Target>,
}

impl Greeting<'_> {
    pub(super) fn print(&self, format: Format) {
        match format {
            Format::Json => println!("{}", self.object()),
            Format::Text => println!("{}", self.lines()),
        }
    }

    fn object(&self) -> Value {
        let Served { base_url, dynamodb, secrets_manager, access_key_id } = self.served;
        let created = match self.tenant {
            FirstTenant::Created(created) => Some(created),
            FirstTenant::Existing(_) => None,
        };
        json!({
            "base_url": base_url, "tenant": created.map(|created| &created.row.name),
            "token": created.map(|created| created.token.token.reveal()), "dynamodb": dynamodb,
            "secrets_manager": secrets_manager, "table": TABLE, "stack": STACK,
            "access_key_id": access_key_id, "secret_access_key": SECRET_ACCESS_KEY,
            "webhook": self.webhook.map(|target| target.url().to_string()),
            "webhook_secret": self.webhook.map(|target| target.secret().reveal()),
        })
    }

    fn lines(&self) -> String {
        let Served { base_url, dynamodb, secrets_manager, .. } = self.served;
        let memory = if self.ephemeral {
            "Everything is in memory and lost when the server stops.\n"
        } else {
            ""
        };
        format!(
            "SCIM      {base_url}\nDynamoDB  {dynamodb}   (table {TABLE})\nSecrets   \
            {secrets_manager}   (stack {STACK})\n{}{memory}{}\nThe function under sam local or \
            cargo lambda watch needs these variables, and so does the aws \
            command:\n\n{}\n\nCtrl-C stops the server.\n",
            self.webhook_lines(),
            self.first_steps(),
            exports(self.served)
        )
    }

    fn webhook_lines(&self) -> String {
        let Some(target) = self.webhook else { return String::new() };
        format!("Webhook   {}   (secret {})\n", target.url(), target.secret().reveal())
    }

    fn first_steps(&self) -> String {
        let base_url = &self.served.base_url;
        match self.tenant {
            FirstTenant::Created(created) => {
                let token = created.token.token.reveal();
                let curls = curls(base_url, token);
                format!(
                    "Token     {token}   (tenant demo; shown this once)\n\n\
                     Try, in another terminal:\n\n{curls}\n"
                )
            }
            FirstTenant::Existing(tenant) => {
                let program = std::env::args().next().unwrap_or_else(|| "scimctl".into());
                let data = self.place.data().map(|path| path.display().to_string());
                let (data, curls) = (data.unwrap_or_default(), curls(base_url, "$TOKEN"));
                format!(
                    "The token of {tenant} was shown when it was minted. This command mints \
                     another one, to put into $TOKEN:\n\n\
                     {program} --data {data} token issue {tenant}\n\n\
                     Then try, in another terminal:\n\n{curls}\n"
                )
            }
        }
    }
}

/// The environment for tools that work on the same data.
fn exports(served: &Served) -> String {
    let Served { base_url, dynamodb, secrets_manager, access_key_id } = served;
    format!(
        "export AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY} \
         AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}\n\
         export AWS_ENDPOINT_URL_DYNAMODB={dynamodb} \
         AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets_manager}\n\
         export SCIM_TABLE={TABLE} SCIM_STACK={STACK} SCIM_BASE_URL={base_url}"
    )
}

fn curls(base_url: &str, token: &str) -> String {
    let curl = format!("curl -H \"Authorization: Bearer {token}\"");
    let user = r#"{"userName":"bjensen@example.com","externalId":"701984","name":{"givenName":"Barbara","familyName":"Jensen"}}"#;
    format!(
        "{curl} {base_url}/ServiceProviderConfig\n\n\
         {curl} -H 'Content-Type: application/scim+json' {base_url}/Users -d '{user}'\n\n\
         {curl} -G {base_url}/Users --data-urlencode 'filter=userName eq \"bjensen@example.com\"'"
    )
}
