//! What a shared secret holds: the records of many tenants, by their codes.
//!
//! Each record is read on its own, so one that is not in the expected form spoils one tenant only.
//! What is not changed is written back as it was read, byte for byte.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::{RawValue, to_raw_value};

use super::records::TenantRecord;
use crate::store::TenantCode;

/// The format that this release writes. It refuses secrets of a newer one.
const FORMAT: u64 = 1;
const FORMAT_FIELD: &str = "format";
const TENANTS_FIELD: &str = "tenants";

/// JSON values as they were written, by name.
type RawObject = BTreeMap<String, Box<RawValue>>;

/// The records of the tenants that share a secret.
#[derive(Clone, Default)]
pub struct SharedRecords {
    tenants: RawObject,
    /// The other fields of the secret.
    rest: RawObject,
}

/// Why a secret cannot be used as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedRecordsError {
    /// It is not the expected JSON.
    Malformed,
    /// A newer release wrote it.
    Newer,
}

/// A tenant's record in a secret.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordState {
    /// The secret has no record of the tenant.
    Missing,
    /// The record is not in the expected form.
    Malformed,
    /// The record.
    Good(TenantRecord),
}

impl fmt::Debug for SharedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tenants.keys()).finish()
    }
}

impl SharedRecords {
    /// Reads the text of a secret.
    ///
    /// # Errors
    /// [`SharedRecordsError`].
    pub fn parse(text: &str) -> Result<Self, SharedRecordsError> {
        let malformed = |_| SharedRecordsError::Malformed;
        let mut rest: RawObject = serde_json::from_str(text).map_err(malformed)?;
        let format = rest.get(FORMAT_FIELD).ok_or(SharedRecordsError::Malformed)?;
        let format: u64 = serde_json::from_str(format.get()).map_err(malformed)?;
        if format > FORMAT {
            return Err(SharedRecordsError::Newer);
        }
        let tenants = rest.remove(TENANTS_FIELD).ok_or(SharedRecordsError::Malformed)?;
        Ok(Self { tenants: serde_json::from_str(tenants.get()).map_err(malformed)?, rest })
    }

    /// The text of the secret.
    ///
    /// # Errors
    /// Never: it is plain data.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let mut all = self.rest.clone();
        all.insert(FORMAT_FIELD.to_owned(), to_raw_value(&FORMAT)?);
        all.insert(TENANTS_FIELD.to_owned(), to_raw_value(&self.tenants)?);
        serde_json::to_string(&all)
    }

    /// The record of a tenant.
    pub fn record(&self, tenant: &TenantCode) -> RecordState {
        match self.text(tenant).map(serde_json::from_str) {
            None => RecordState::Missing,
            Some(Err(_)) => RecordState::Malformed,
            Some(Ok(record)) => RecordState::Good(record),
        }
    }

    /// The text of a tenant's record, whatever its form.
    pub fn text(&self, tenant: &TenantCode) -> Option<&str> {
        self.tenants.get(tenant.as_str()).map(|record| record.get())
    }

    /// Puts a tenant's record in place of the one that was there.
    ///
    /// # Errors
    /// Never: it is plain data.
    pub fn set(&mut self, tenant: &TenantCode, record: &TenantRecord) -> serde_json::Result<()> {
        self.tenants.insert(tenant.as_str().to_owned(), to_raw_value(record)?);
        Ok(())
    }

    /// Removes a tenant's record.
    pub fn remove(&mut self, tenant: &TenantCode) {
        self.tenants.remove(tenant.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::PlainToken;

    #[test]
    fn a_bad_record_spoils_one_tenant_and_is_written_back_byte_for_byte() {
        let (bad, good) = ("bad00000".parse().unwrap(), "good0000".parse().unwrap());
        let broken = r#"{ "tokens":{"a":1.0e2,"digest" : 7}}"#;
        let text = format!(r#"{{"tenants":{{"bad00000":{broken}}},"format":1,"later":[ 1.50 ]}}"#);
        let mut records = SharedRecords::parse(&text).unwrap();
        let mut record = TenantRecord::default();
        record.add(&PlainToken::generate(&good).unwrap(), None);
        records.set(&good, &record).unwrap();
        let text = records.to_text().unwrap();
        assert!(text.contains(broken) && text.contains(r#""later":[ 1.50 ]"#), "{text}");
        let read = SharedRecords::parse(&text).unwrap();
        assert_eq!(read.record(&bad), RecordState::Malformed);
        assert_eq!(read.record(&good), RecordState::Good(record));
        assert_eq!(read.record(&"none0000".parse().unwrap()), RecordState::Missing);
    }

    #[test]
    fn a_secret_of_another_form_or_a_newer_format_is_refused() {
        let parse = |text: &str| SharedRecords::parse(text).map(drop);
        assert_eq!(parse(r#"{"format":1,"tenants":{},"x":1}"#), Ok(()));
        assert_eq!(parse(r#"{"format":2,"tenants":[]}"#), Err(SharedRecordsError::Newer));
        for text in ["", "[]", "{}", r#"{"tenants":{}}"#, r#"{"format":"1","tenants":{}}"#] {
            assert_eq!(parse(text), Err(SharedRecordsError::Malformed), "{text}");
        }
        let empty = SharedRecords::default().to_text().unwrap();
        assert_eq!(empty, r#"{"format":1,"tenants":{}}"#);
    }
}
