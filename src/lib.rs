//! A SCIM 2.0 service provider for one DynamoDB table: the same service in AWS Lambda and on a
//! laptop.
//!
//! The rooms, in reading order. Each may use the rooms below it, and none above it:
//!
//! ```text
//! main, scimctl -> edge -> { operator, events } -> { auth, directory } -> tenant -> store -> scim-core
//! ```

pub mod settings;

pub mod edge;

pub mod operator;

pub mod auth;
pub mod directory;

pub mod events;

pub mod tenant;

pub mod store;

pub mod budget;
pub mod clock;
pub mod random;
pub mod reason;
pub mod sdk;
pub mod telemetry;

pub use edge::Service;
