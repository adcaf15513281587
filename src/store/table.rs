//! The table itself, for engines that no template makes: `docs/DATA_MODEL.md` and `template.yaml`
//! say the same, but for the stream: nobody reads it here, and the embedded engine's writes become
//! slower with each of its records.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::StoreError;
use super::transaction::unavailable;

/// Makes the table with its TTL, if it is not there.
///
/// # Errors
/// As [`StoreError`] says.
pub async fn create(client: &Client, table: &str) -> Result<(), StoreError> {
    let build = |error: aws_sdk_dynamodb::error::BuildError| StoreError::broken(error.to_string());
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let text = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
    };
    let created = client
        .create_table()
        .table_name(table)
        .key_schema(key("p", KeyType::Hash).map_err(build)?)
        .key_schema(key("s", KeyType::Range).map_err(build)?)
        .attribute_definitions(text("p").map_err(build)?)
        .attribute_definitions(text("s").map_err(build)?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    match created {
        Ok(_) => {}
        // It is there; whoever made it may have been stopped before it set the expiry.
        Err(error)
            if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {}
        Err(error) => return Err(unavailable(error)),
    }
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("x")
        .build()
        .map_err(build)?;
    let described =
        client.describe_time_to_live().table_name(table).send().await.map_err(unavailable)?;
    let status =
        described.time_to_live_description().and_then(|expiry| expiry.time_to_live_status());
    if status == Some(&TimeToLiveStatus::Enabled) {
        return Ok(());
    }
    let sent = client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expiry)
        .send()
        .await;
    sent.map(drop).map_err(unavailable)
}
