//! An import from the first record to the last.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::attributes::is_kept;
use super::context::{Import, Ready};
use super::judge::Seen;
use super::patience::Progress;
use super::pending::Pending;
use super::record::Record;
use super::report::{Conflict, Mode, RecordOutcome, Report};
use crate::operator::error::OperatorError;
use crate::store::{ResourceWrite, Stage};
use crate::tenant::profile::Existing;

/// How many records are looked up in parallel.
const CONCURRENCY: usize = 16;
/// How many records are judged before the first of them is stored.
const PORTION: usize = 200;
/// What an export says about users in addition to their attributes.
const EXPORTED: [&str; 3] = ["schemas", "state", "expires"];

impl Import {
    /// The report before the first of these records.
    ///
    /// # Errors
    /// If the tenant has no type of users.
    pub fn report(&self, records: &[Record], mode: Mode) -> Result<Report, OperatorError> {
        let links = self.profile.create.existing == Existing::Link;
        let left_out = self.left_out(records)?;
        Ok(Report { mode, links, left_out, lines: Vec::with_capacity(records.len()) })
    }

    /// Judges all records, and stores the new users unless it is a dry run. Users that an earlier
    /// run stored stay as they are. The report always has all records whose outcome is final, also
    /// after an error, and if this future is dropped. While DynamoDB throttles, the import waits.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn run(
        &self,
        records: Vec<Record>,
        report: &mut Report,
        progress: impl Fn(Progress<'_>),
    ) -> Result<(), OperatorError> {
        let mut seen = Seen::default();
        let mut rest = records.into_iter().peekable();
        while rest.peek().is_some() {
            let portion: Vec<Record> = rest.by_ref().take(PORTION).collect();
            let mut lines = Pending::default();
            let new = self.new_users(portion, &mut seen, &mut lines, &progress).await?;
            if report.mode == Mode::Store {
                let pass_on = |lines: &mut Pending, first: &Ready| {
                    lines.pass_on(first.index, report, &progress);
                };
                self.store(&new, &mut lines, &progress, pass_on).await?;
            }
            lines.pass_on(usize::MAX, report, &progress);
        }
        Ok(())
    }

    /// Adds the lines of these records. Returns the users that the tenant does not have.
    async fn new_users(
        &self,
        records: Vec<Record>,
        seen: &mut Seen,
        lines: &mut Pending,
        progress: &impl Fn(Progress<'_>),
    ) -> Result<Vec<Ready>, OperatorError> {
        let mut ready = Vec::new();
        for record in records {
            let (line, user) = self.judge(record, lines.next(), seen);
            lines.push(line);
            ready.extend(user);
        }
        let judged: Vec<(Ready, Option<RecordOutcome>)> = stream::iter(ready)
            .map(|user| async move {
                let known = async || self.known(&user).await;
                let outcome = self.past_throttles(progress, known).await?;
                Ok::<_, OperatorError>((user, outcome))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut new = Vec::new();
        for (user, outcome) in judged {
            match outcome {
                Some(outcome) => lines.set(user.index, outcome),
                None => new.push(user),
            }
        }
        Ok(new)
    }

    /// The attributes in the records that the tenant does not keep. A name may be misspelled.
    fn left_out(&self, records: &[Record]) -> Result<BTreeSet<String>, OperatorError> {
        let users = &self.user_type()?.definition;
        let names: BTreeSet<&String> =
            records.iter().flat_map(|record| record.user.keys()).collect();
        let unkept = names
            .into_iter()
            .filter(|name| !EXPORTED.contains(&name.as_str()) && !is_kept(users, name));
        Ok(unkept.cloned().collect())
    }

    /// Stores these users, and passes on after each transaction the lines before the first user who
    /// is not stored yet. A user whose name was taken in the meantime gets the outcome of that.
    async fn store(
        &self,
        users: &[Ready],
        lines: &mut Pending,
        progress: &impl Fn(Progress<'_>),
        mut pass_on: impl FnMut(&mut Pending, &Ready),
    ) -> Result<(), OperatorError> {
        let mut rest: &[Ready] = users;
        let mut most = usize::MAX;
        while let Some(first) = rest.first() {
            pass_on(lines, first);
            let batch: Vec<ResourceWrite<'_>> = rest.iter().take(most).map(write).collect();
            let create = async || {
                let (users, audit) = (&self.users, &self.audit);
                Ok(self.store.create_first(users, &batch, Stage::Unmanaged, audit).await?)
            };
            let batch = self.past_throttles(progress, create).await?;
            match (batch.stored, batch.taken) {
                (true, taken) => {
                    rest = rest.get(taken..).unwrap_or_default();
                    most = usize::MAX;
                }
                // Another writer came first, for example another import of the same file.
                (false, 1) => {
                    let known = async || self.known(first).await;
                    let outcome = self.past_throttles(progress, known).await?;
                    let taken = RecordOutcome::Conflict(Conflict::NameTaken);
                    lines.set(first.index, outcome.unwrap_or(taken));
                    rest = rest.get(1..).unwrap_or_default();
                }
                (false, _) => most = 1,
            }
        }
        Ok(())
    }
}

fn write(user: &Ready) -> ResourceWrite<'_> {
    ResourceWrite::new(&user.resource, &user.names)
}
