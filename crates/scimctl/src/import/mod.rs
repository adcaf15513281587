//! `scimctl import`: people whom the product had before SCIM, stored as *unmanaged*: the identity
//! provider does not see them until it provisions them.

mod file;
mod known;
mod report;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Args;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use scim_core::patch::Path;
use scim_core::resource::Update;
use scim_core::schema::Place as Stands;
use scim_core::{
    Additions, Attributes, Dialect, Error, Meta, PatchRequest, Resource, ResourceType, Version,
};
use scim_lambda::clock::Clock;
use scim_lambda::store::resources::MAX_EMAILS;
use scim_lambda::store::tenants::TenantRow;
use scim_lambda::store::{Act, Collection, Kind, Names, Store};
use scim_lambda::tenant::profile::{Existing, LinkOn};
use scim_lambda::tenant::{Profile, ServedType, ServedTypes};
use serde_json::{Map, Value, json};

use crate::bench::bar;
use crate::operator;
use crate::place::Place;
use file::Record;
pub use report::{Line, RecordOutcome, Report};

/// How many records are looked up at a time.
const CONCURRENCY: usize = 16;
/// How many records are judged and stored before the next: after a break, the same command goes on
/// there.
const PORTION: usize = 200;
/// How many UUIDs of version 8 of a file may begin with the same four digits. The service takes
/// them for its own, and those are spread evenly.
pub const MAX_ALIKE: usize = 500;
const ALIKE: usize = 4;
/// What `scimctl export` tells of users beside their attributes.
const EXPORTED: [&str; 3] = ["schemas", "state", "expires"];

/// Import users whom the product had before, from a file of CSV or of JSON objects, one a line
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// The tenant's name
    pub(crate) tenant: String,
    /// A file that ends in .csv, .ndjson or .jsonl
    pub(crate) file: PathBuf,
    /// Import them as unmanaged: known to the product, not to the identity provider until it
    /// provisions them
    #[arg(long, required = true)]
    pub(crate) unmanaged: bool,
    /// Store nothing; only say who would be imported, by what each would be linked, and who
    /// conflicts
    #[arg(long)]
    pub(crate) dry_run: bool,
}

pub(crate) async fn run(place: &Place, options: &ImportOptions, json: bool) -> anyhow::Result<()> {
    let connection = place.connect().await?;
    let row = connection.tenant(&options.tenant).await?;
    let name = options.file.display();
    let records = file::read(&options.file).with_context(|| format!("{name} cannot be read"))?;
    ensure!(!records.is_empty(), "{name} has no records");
    let import = Import::new(connection.store.clone(), row, Clock::system())?;
    let loading = if options.dry_run { None } else { connection.loading()? };
    let bar = bar("users", records.len().try_into()?, json);
    let report = import.run(records, options.dry_run, |more| bar.inc(more)).await?;
    bar.finish_and_clear();
    drop(loading);
    crate::print(json, &report.json(), &report.to_string());
    ensure!(
        report.is_clean(),
        "{} of {} records were not imported",
        report.faults(),
        report.lines.len()
    );
    Ok(())
}

/// Imports into one tenant.
#[derive(Debug)]
pub struct Import {
    store: Store,
    at: Collection,
    types: ServedTypes,
    profile: Profile,
    act: Act,
    clock: Clock,
}

/// What the records before said.
#[derive(Default)]
struct Seen {
    /// The line of each name and id.
    keys: BTreeMap<(&'static str, String), usize>,
    /// How many UUIDs of version 8 begin with the same digits.
    alike: BTreeMap<String, usize>,
}

/// A record that can be stored.
struct Ready {
    index: usize,
    resource: Resource,
    names: Names,
    /// Whether the file gives the id; one that is made is nobody else's.
    own_id: bool,
}

impl Import {
    /// An import into this tenant.
    ///
    /// # Errors
    /// If the tenant's profile cannot be read.
    pub fn new(store: Store, row: TenantRow, clock: Clock) -> anyhow::Result<Self> {
        let mut profile = Profile::read(&row.profile)?;
        // What the identity provider must send, the product need not have.
        profile.attributes.required.clear();
        let types = ServedTypes::new(&profile, &Additions::default())?;
        let at = Collection { tenant: row.key(), kind: Kind::User };
        let act = operator::act(&row, &clock, "import")?;
        Ok(Self { store, at, types, profile, act, clock })
    }

    /// Imports the text of a file of JSON objects, one a line.
    ///
    /// # Errors
    /// If the table does not answer.
    pub async fn lines(&self, text: &str, dry: bool) -> anyhow::Result<Report> {
        self.run(file::json_lines(text), dry, |_| {}).await
    }

    /// Judges all records, and stores those that can be unless it is a dry run. What an earlier run
    /// stored is passed over.
    async fn run(
        &self,
        records: Vec<Record>,
        dry: bool,
        progress: impl Fn(u64),
    ) -> anyhow::Result<Report> {
        let links = self.profile.create.existing == Existing::Link;
        let left_out = self.left_out(&records)?;
        let mut report = Report { dry, links, left_out, lines: Vec::with_capacity(records.len()) };
        let mut seen = Seen::default();
        let mut rest = records.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<Record> = rest.by_ref().take(PORTION).collect();
            let first = report.lines.len();
            let mut ready = Vec::new();
            for record in some {
                let (line, user) = self.judge(record, report.lines.len(), &mut seen);
                report.lines.push(line);
                ready.extend(user);
            }
            let judged: Vec<(Ready, Option<RecordOutcome>)> = stream::iter(ready)
                .map(|user| async move {
                    let fate = self.known(&user).await?;
                    Ok::<_, anyhow::Error>((user, fate))
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            let mut new = Vec::new();
            for (user, fate) in judged {
                match (fate, report.lines.get_mut(user.index)) {
                    (Some(fate), Some(line)) => line.fate = fate,
                    _ => new.push(user),
                }
            }
            if !dry {
                self.store(&new, &mut report).await?;
            }
            progress((report.lines.len() - first).try_into()?);
        }
        Ok(report)
    }

    /// The attributes in a file that the tenant does not keep: a column may be misspelled.
    fn left_out(&self, records: &[Record]) -> anyhow::Result<BTreeSet<String>> {
        let users = &self.users()?.definition;
        let names: BTreeSet<&String> =
            records.iter().flat_map(|record| record.user.keys()).collect();
        let unkept = names
            .into_iter()
            .filter(|name| !EXPORTED.contains(&name.as_str()) && !is_kept(users, name));
        Ok(unkept.cloned().collect())
    }

    fn users(&self) -> anyhow::Result<&ServedType> {
        self.types
            .iter()
            .find(|resource_type| resource_type.kind == Kind::User)
            .context("there are no users")
    }

    /// What a record says, and whether another one of the file says the same.
    fn judge(
        &self,
        record: Record,
        index: usize,
        Seen { keys: seen, alike }: &mut Seen,
    ) -> (Line, Option<Ready>) {
        let mut line = Line::new(record.line, record.user_name.clone());
        let own_id = record.id.is_some();
        let (resource, names) = match self.resource(record) {
            Ok(made) => made,
            Err(why) => {
                line.fate = RecordOutcome::Invalid(why.to_string());
                return (line, None);
            }
        };
        let keys = own_id.then(|| ("id", resource.id.as_str().to_owned())).into_iter();
        let keys = keys.chain(names.name().map(|name| ("userName", name.to_owned())));
        let keys = keys.chain(names.external_id().map(|id| ("externalId", id.to_owned())));
        let keys = keys.chain(names.emails().iter().map(|email| ("e-mail", email.clone())));
        let keys: Vec<_> = keys.collect();
        // Others stand under keys that are spread.
        if own_id && self.at.key(&resource.id) == resource.id.as_str() {
            let alike = alike
                .entry(resource.id.as_str().get(..ALIKE).unwrap_or_default().to_owned())
                .or_insert(0_usize);
            *alike += 1;
            if *alike > MAX_ALIKE {
                line.fate = RecordOutcome::Invalid(format!(
                    "over {MAX_ALIKE} UUIDs of version 8 in the file begin alike; leave the \
                    column id out, and keep the product's own as externalId or in an attribute"
                ));
                return (line, None);
            }
        }
        if let Some((key, other)) = keys.iter().find_map(|key| Some((key.0, *seen.get(key)?))) {
            line.fate = RecordOutcome::Conflict(format!(
                "line {other} has the same {key}; who is meant cannot be told"
            ));
            return (line, None);
        }
        for way in self.ways() {
            let (word, key) = match way {
                LinkOn::ExternalId => ("externalId", "externalId"),
                LinkOn::UserName => ("userName", "userName"),
                LinkOn::Email => ("verified e-mail", "e-mail"),
            };
            if keys.iter().any(|(name, _)| *name == key) {
                line.links_on.push(word);
            }
        }
        seen.extend(keys.into_iter().map(|key| (key, line.number)));
        line.id = Some(resource.id.clone());
        (line, Some(Ready { index, resource, names, own_id }))
    }

    /// By what a POST adopts somebody who was imported, the best first.
    fn ways(&self) -> &[LinkOn] {
        match self.profile.create.existing {
            Existing::Link => &self.profile.create.link_on,
            Existing::Conflict => &[],
        }
    }

    fn resource(&self, record: Record) -> anyhow::Result<(Resource, Names)> {
        if let Some(why) = record.broken {
            bail!(why);
        }
        let users = self.users()?;
        // A file is not a SCIM message: it need not name schemas, and the cells of a table are all
        // texts.
        let dialect = Dialect { strict: false, ..self.profile.dialect() };
        let mut attributes = attributes(&users.definition, record.user, dialect)?;
        users.shape(&mut attributes)?;
        let names = Names::of(&users.definition, &attributes)?.with_verified(&record.verified);
        ensure!(
            names.emails().len() <= MAX_EMAILS,
            "it has more than {MAX_EMAILS} verified addresses"
        );
        let id = match record.id {
            Some(id) => id.to_ascii_lowercase().parse::<uuid::Uuid>().ok().map(|id| id.to_string()),
            None => Some(self.at.new_id(names.name())?.as_str().to_owned()),
        };
        let id =
            id.context("id is not a UUID; leave it out, and export shows the one that is made")?;
        let id = id.parse().map_err(|()| anyhow::anyhow!("id is none"))?;
        let now = self.clock.now();
        let meta = Meta { created: now, last_modified: now, version: Version(1) };
        Ok((Resource { id, meta, attributes }, names))
    }
}

/// Whether the tenant keeps what a name or a path stands for.
fn is_kept(resource_type: &ResourceType, name: &str) -> bool {
    match name.contains('[') {
        // What is wrong with a path is told with each record.
        true => !matches!(Path::parse(name, resource_type, Dialect::TOLERANT), Ok(None)),
        false => resource_type.resolve(name).is_some(),
    }
}

/// The attributes that a record gives. A path into an attribute with several values, such as
/// `phoneNumbers[type eq "work"].value`, makes one value with the others that have its filter.
fn attributes(
    resource_type: &ResourceType,
    mut user: Map<String, Value>,
    dialect: Dialect,
) -> Result<Attributes, Error> {
    user.retain(|name, _| is_kept(resource_type, name));
    let is_path = |name: &str| match resource_type.resolve(name) {
        Some(Stands::Attribute(at)) => {
            at.sub.is_some() && at.attribute.multi_valued && !at.attribute.is_read_only()
        }
        Some(_) => false,
        None => true,
    };
    let (paths, plain): (Map<_, _>, Map<_, _>) =
        user.into_iter().partition(|(name, _)| is_path(name));
    let plain = resource_type.parse(plain, dialect)?.attributes;
    let add =
        paths.into_iter().map(|(path, value)| json!({ "op": "add", "path": path, "value": value }));
    let add = Map::from_iter([("Operations".to_owned(), add.collect())]);
    let mut whole =
        PatchRequest::parse(&add, resource_type, dialect)?.apply(resource_type, &plain)?;
    resource_type.check_immutable(&Attributes::default(), &mut whole, Update::Replace)?;
    Ok(whole)
}
