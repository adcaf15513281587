//! A stack: an embedded table, and secrets that may be elsewhere.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::shared_secrets::SharedSecret;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::edge::BASE_PATH;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::operator::{Deployment, Operator};
use scim_lambda::store::{SecretNumber, Store, TenantCode, TenantRow};
use scim_lambda::tenant::Profile;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;
use scim_local::{Local, TABLE, dummy_account};

use crate::endpoints;
use crate::support::connectors::Between;
use crate::support::tokens::change_secret;

pub const GET: &str = "GetSecretValue";
pub const PUT: &str = "PutSecretValue";

pub struct Stack {
    pub client: Client,
    pub secrets: Secrets,
    pub store: Store,
    /// What the operators of the stack meet on their way to its secrets.
    pub between: Between,
    name: String,
    local: Local,
    /// Whether the secrets are those of `local`.
    is_embedded: bool,
}

impl Stack {
    pub async fn embedded() -> Self {
        Self::new(true).await
    }

    /// The secrets that the environment names.
    pub async fn elsewhere() -> Self {
        Self::new(false).await
    }

    async fn new(is_embedded: bool) -> Self {
        let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
        let table = aws_sdk_dynamodb::Client::new(&local.sdk_config());
        scim_lambda::store::table::create(&table, TABLE).await.unwrap();
        let (store, between) = (Store::new(table, TABLE), Between::default());
        // Secrets stay when a test has ended.
        let name = format!("contract-{}", TenantCode::generate().unwrap());
        let client = Client::new(&sdk(&local, is_embedded, Between::default()).await);
        let secrets = Secrets::new(client.clone(), &name);
        Self { client, secrets, store, between, name, local, is_embedded }
    }

    /// An operator whose calls of Secrets Manager pass through the stack's `between`.
    pub async fn operator(&self) -> Operator {
        self.operator_behind(self.between.clone()).await
    }

    /// An operator whose calls of Secrets Manager pass through `between`.
    pub async fn operator_behind(&self, between: Between) -> Operator {
        let client = Client::new(&sdk(&self.local, self.is_embedded, between).await);
        let secrets = Secrets::new(client, &self.name);
        let base_url = Some("https://scim.example.com/scim/v2".to_owned());
        let deployment = Deployment::new(base_url, BASE_PATH);
        Operator::new(self.store.clone(), secrets, Clock::system(), deployment, "contract")
    }

    /// A new tenant without a token.
    pub async fn tenant(&self, name: &str) -> TenantRow {
        let row = TenantRow::generate(name, "default", 0).unwrap();
        assert!(self.store.create_tenant(&row, None, None).await.unwrap());
        row
    }

    /// A new tenant whose profile keeps tokens, without a token.
    pub async fn tenant_with_kept_tokens(&self, name: &str) -> TenantRow {
        let profile = Profile::read("default").unwrap().with("token.reveal", "again").unwrap();
        let row = TenantRow::generate(name, &profile.write().unwrap(), 0).unwrap();
        assert!(self.store.create_tenant(&row, None, None).await.unwrap());
        row
    }

    /// A new tenant with a token.
    pub async fn tenant_with_token(&self, name: &str) -> (TenantRow, PlainToken) {
        let row = self.tenant(name).await;
        let token = self.issue(&row).await;
        (row, token)
    }

    pub async fn issue(&self, row: &TenantRow) -> PlainToken {
        issue(&self.operator().await, row).await
    }

    pub async fn accepts(&self, row: &TenantRow, token: &PlainToken) -> bool {
        self.operator().await.accepts_token(row, token).await.unwrap()
    }

    /// The secret that a tenant's row names.
    pub async fn secret_of(&self, row: &TenantRow) -> Option<SecretNumber> {
        self.store.tenant(row.code()).await.unwrap().unwrap().secret
    }

    pub async fn shared(&self, number: SecretNumber) -> SharedSecret {
        self.secrets.shared(number).await.unwrap()
    }

    /// How many versions a secret has.
    pub async fn versions(&self, number: SecretNumber) -> usize {
        self.secrets.versions_since(&self.secrets.shared_name(number), 0).await.unwrap()
    }

    /// Replaces a secret by the same content, until it has this number of versions.
    pub async fn use_up(&self, number: SecretNumber, versions: usize) {
        for _ in self.versions(number).await..versions {
            change_secret(&self.secrets, number, |_| {}).await;
        }
    }

    /// Replaces the text of a secret, in the two steps that every emulator carries out alike.
    pub async fn overwrite(&self, number: SecretNumber, text: &str) {
        let name = self.secrets.shared_name(number);
        let get = self.client.get_secret_value().secret_id(&name).version_stage("AWSCURRENT");
        let before = get.send().await.unwrap().version_id;
        let put = self.client.put_secret_value().secret_id(&name).secret_string(text);
        let after = put.version_stages("EDITED").send().await.unwrap().version_id;
        let stage = self.client.update_secret_version_stage().secret_id(&name);
        let stage = stage.version_stage("AWSCURRENT").set_remove_from_version_id(before);
        stage.set_move_to_version_id(after).send().await.unwrap();
    }
}

pub async fn issue(operator: &Operator, row: &TenantRow) -> PlainToken {
    operator.issue_token(row, Lifetime::Profile, None).await.unwrap().token
}

async fn sdk(local: &Local, is_embedded: bool, between: Between) -> SdkConfig {
    if is_embedded {
        let client = between.around(local.connector());
        dummy_account().into_builder().http_client(client).build()
    } else {
        endpoints::endpoint("SCIM_TEST_SECRETS_ENDPOINT", between).await
    }
}
