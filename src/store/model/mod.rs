//! Plain values: tenants, resources and their names, changes, and the reasons why they are refused.
//! Nothing here knows about DynamoDB.

pub(crate) mod audit;
pub(crate) mod change;
pub(crate) mod collection;
pub(crate) mod departure;
pub(crate) mod guards;
pub(crate) mod log_row;
pub(crate) mod names;
pub(crate) mod refusal;
pub(crate) mod refused;
pub(crate) mod resync;
pub(crate) mod secret_number;
pub(crate) mod stage;
pub(crate) mod stored;
pub(crate) mod tenant_key;
pub(crate) mod trace;
