//! The table itself, for engines without the template. `docs/DATA_MODEL.md` and `template.yaml` say
//! the same, and add a stream. The stream is left out here, because each of its records slows down
//! the embedded engine's writes; `scim_local::changes` keeps the changes in its place.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::error::{StoreError, unavailable};
use super::item::{EXPIRES, PARTITION, SORT};

/// Creates the table with its TTL, unless it exists.
pub async fn create(client: &Client, table: &str) -> Result<(), StoreError> {
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
        .key_schema(key(PARTITION, KeyType::Hash)?)
        .key_schema(key(SORT, KeyType::Range)?)
        .attribute_definitions(text(PARTITION)?)
        .attribute_definitions(text(SORT)?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    match created {
        Ok(_) => {}
        // The table exists. Its creator may have been stopped before it set the TTL.
        Err(error)
            if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {}
        Err(error) => return Err(unavailable(error)),
    }
    expire(client, table).await
}

/// Switches TTL on, unless it is already on.
async fn expire(client: &Client, table: &str) -> Result<(), StoreError> {
    let described =
        client.describe_time_to_live().table_name(table).send().await.map_err(unavailable)?;
    let status =
        described.time_to_live_description().and_then(|expiry| expiry.time_to_live_status());
    if status == Some(&TimeToLiveStatus::Enabled) {
        return Ok(());
    }
    let expiry =
        TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build()?;
    let sent = client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expiry)
        .send()
        .await;
    sent.map(drop).map_err(unavailable)
}
