//! What a record says by itself and among the other records, before the tenant's users are read.

use std::collections::BTreeMap;

use scim_core::{Dialect, Meta, Resource};

use super::attributes::attributes;
use super::context::{Import, Ready};
use super::record::Record;
use super::report::{Conflict, Line, RecordOutcome};
use crate::directory::candidates::Key;
use crate::operator::error::OperatorError;
use crate::store::{MAX_EMAILS, Names};
use crate::tenant::profile::LinkOn;

/// How many UUIDs of version 8 in an import may begin with the same four digits. The service treats
/// such ids as its own, which are spread evenly.
pub const MAX_ALIKE: usize = 500;
/// How many digits those ids share.
const ALIKE: usize = 4;

const WRONG_ID: &str = "id must have 1 to 128 letters, digits, '.', '_' or '-', and must not be \
    reserved by SCIM; omit it, and the export shows the generated one";

/// What earlier records said.
#[derive(Default)]
pub(super) struct Seen {
    /// The line of each name and id.
    keys: BTreeMap<(Key, String), usize>,
    /// How many UUIDs of version 8 begin with the same digits.
    alike: BTreeMap<String, usize>,
}

impl Seen {
    /// Counts an id, and returns whether too many begin alike.
    fn is_crowded(&mut self, id: &str) -> bool {
        let prefix = id.get(..ALIKE).unwrap_or_default().to_owned();
        let count = self.alike.entry(prefix).or_insert(0);
        *count += 1;
        *count > MAX_ALIKE
    }

    fn conflict(&self, keys: &[(Key, String)]) -> Option<Conflict> {
        let same = |entry: &(Key, String)| Some((entry.0, *self.keys.get(entry)?));
        let (key, line) = keys.iter().find_map(same)?;
        Some(Conflict::SameInFile { line, key })
    }
}

impl Import {
    /// The line of a record in the report, where `index` is its place among those that are judged with
    /// it, and its user if the record is valid and no earlier one
    /// has the same keys.
    pub(super) fn judge(
        &self,
        record: Record,
        index: usize,
        seen: &mut Seen,
    ) -> (Line, Option<Ready>) {
        let mut line = Line::new(record.line, record.user_name.clone());
        match self.ready(record, index, seen) {
            Err(outcome) => {
                line.outcome = outcome;
                (line, None)
            }
            Ok((user, keys)) => {
                line.links_on = self.links_on(&keys);
                seen.keys.extend(keys.into_iter().map(|key| (key, line.number)));
                line.id = Some(user.resource.id.clone());
                (line, Some(user))
            }
        }
    }

    /// The user of a record with its keys, if it can be stored as far as the file tells.
    fn ready(
        &self,
        record: Record,
        index: usize,
        seen: &mut Seen,
    ) -> Result<(Ready, Vec<(Key, String)>), RecordOutcome> {
        let own_id = record.id.is_some();
        let (resource, names) = self.resource(record).map_err(RecordOutcome::Invalid)?;
        let user = Ready { index, resource, names, own_id };
        let id = user.resource.id.as_str();
        // Other ids are stored under keys that are evenly spread.
        if own_id && self.users.key(&user.resource.id) == id && seen.is_crowded(id) {
            return Err(RecordOutcome::Invalid(format!(
                "over {MAX_ALIKE} version 8 UUIDs in the file begin alike; omit id, and keep \
                 the product's own as externalId or in another attribute"
            )));
        }
        let keys = keys_of(&user);
        match seen.conflict(&keys) {
            Some(conflict) => Err(conflict.into()),
            None => Ok((user, keys)),
        }
    }

    /// The keys of a record by which a POST would adopt its user, the best first.
    fn links_on(&self, keys: &[(Key, String)]) -> Vec<Key> {
        let key_of = |link: &LinkOn| match link {
            LinkOn::ExternalId => Key::ExternalId,
            LinkOn::UserName => Key::UserName,
            LinkOn::Email => Key::VerifiedEmail,
        };
        let has = |key: &Key| keys.iter().any(|(own, _)| own == key);
        self.link_keys().iter().map(key_of).filter(has).collect()
    }

    /// The user of a record, or why it is not valid.
    fn resource(&self, record: Record) -> Result<(Resource, Names), String> {
        if let Some(why) = record.broken {
            return Err(why);
        }
        let (id, verified) = (record.id, record.verified);
        let (attributes, names) =
            self.checked(record.user, &verified).map_err(|error| error.to_string())?;
        if names.emails().len() > MAX_EMAILS {
            return Err(format!("it has more than {MAX_EMAILS} verified addresses"));
        }
        let id = match id {
            Some(id) => id.parse().map_err(|()| WRONG_ID)?,
            None => self.users.new_id(names.name()).map_err(|error| error.to_string())?,
        };
        Ok((Resource { id, meta: Meta::new(self.clock.now()), attributes }, names))
    }

    fn checked(
        &self,
        user: serde_json::Map<String, serde_json::Value>,
        verified: &[String],
    ) -> Result<(scim_core::Attributes, Names), OperatorError> {
        let users = self.user_type()?;
        // A record is not a SCIM message: it need not name schemas, and all cells of a table are
        // strings.
        let dialect = Dialect { strict: false, ..self.profile.dialect() };
        let mut attributes = attributes(&users.definition, user, dialect)?;
        users.shape(&mut attributes)?;
        let names = Names::of(&users.definition, &attributes)?.with_verified(verified);
        Ok((attributes, names))
    }
}

/// The keys by which a record is compared with the others.
fn keys_of(user: &Ready) -> Vec<(Key, String)> {
    let names = &user.names;
    let own_id = user.own_id.then(|| user.resource.id.folded());
    let keys = own_id.iter().map(|id| (Key::Id, id.as_str()));
    let keys = keys.chain(names.name().map(|name| (Key::UserName, name)));
    let keys = keys.chain(names.external_id().map(|id| (Key::ExternalId, id)));
    let keys = keys.chain(names.emails().iter().map(|email| (Key::VerifiedEmail, email.as_str())));
    keys.map(|(key, text)| (key, text.to_owned())).collect()
}
