//! Whom the tenant knows already, and storing whom it does not.

use scim_core::ResourceId;
use scim_lambda::store::{MatchBy, ResourceWrite, State, Stored, Takeover};
use scim_lambda::tenant::profile::LinkOn;

use super::{Import, Ready, RecordOutcome, Report};

const EMAIL: &str = "verified e-mail";
/// A userName, beside another externalId.
const NAMESAKE: &str = "userName, but another externalId";

/// Users by what they were found, each once.
type Found = Vec<(&'static str, ResourceId)>;

impl Import {
    /// What becomes of a record that is not to be stored, since the tenant knows somebody of its
    /// names or id.
    pub(super) async fn known(&self, user: &Ready) -> anyhow::Result<Option<RecordOutcome>> {
        let (names, now) = (&user.names, self.clock.seconds());
        let imported = self.store.unmanaged(&self.at, names, &[MatchBy::Name]).await?;
        if let Some(own) = imported.first() {
            let id = own.resource.id.clone();
            return Ok(Some(match user.own_id && id != user.resource.id {
                true => RecordOutcome::Conflict(format!(
                    "it was imported under the id {id} already; scimctl user forget removes that \
                    one"
                )),
                false => RecordOutcome::Known(id),
            }));
        }
        let ways = [MatchBy::ExternalId, MatchBy::Email];
        if let Some(other) = self.store.unmanaged(&self.at, names, &ways).await?.first() {
            return Ok(Some(RecordOutcome::Conflict(format!(
                "the imported user {} has the same externalId or e-mail under another userName",
                other.resource.id
            ))));
        }
        let held = match user.own_id {
            true => self.store.resource(&self.at, &user.resource.id, now).await?,
            false => None,
        };
        let own = held.as_ref().filter(|held| held.is_visible(now));
        let provisioned = self.provisioned(user, own, now).await?;
        match provisioned.as_slice() {
            [] => {}
            [(what, id)]
                if user.own_id && *id != user.resource.id
                    || *what == EMAIL && !self.ways().contains(&LinkOn::Email)
                    || *what == NAMESAKE && !self.ways().contains(&LinkOn::UserName) =>
            {
                return Ok(Some(RecordOutcome::Conflict(format!(
                    "the identity provider has provisioned {id} with the same {what} already, who \
                    may be somebody else"
                ))));
            }
            [(by, id)] => return Ok(Some(RecordOutcome::Provisioned { id: id.clone(), by })),
            [(what, one), (also, other), ..] => {
                return Ok(Some(RecordOutcome::Conflict(format!(
                    "the identity provider has provisioned {one} with the same {what} and {other} \
                    with the same {also}; who is meant cannot be told"
                ))));
            }
        }
        if let Some(other) = self.store.restorable(&self.at, names, now).await? {
            return Ok(Some(RecordOutcome::Conflict(format!(
                "the identity provider has deleted {other} with the same userName or externalId; \
                scimctl user restore brings it back"
            ))));
        }
        if held.is_some() {
            return Ok(Some(RecordOutcome::Conflict(
                "a user of another userName has this id already".into(),
            )));
        }
        let named = user.own_id && self.is_named_by_a_group(&user.resource.id).await?;
        Ok(named.then(|| {
            RecordOutcome::Conflict(
                "a group names this id as a member, or did until its deletion is finished; leave \
                the column id out, or remove the id from the group first"
                    .into(),
            )
        }))
    }

    /// Whether an id stands in a group already: whoever has it would be a member whom nobody has
    /// added.
    async fn is_named_by_a_group(&self, id: &ResourceId) -> anyhow::Result<bool> {
        let (tenant, kind) = (&self.at.tenant, &self.at.kind);
        let (groups, unfinished) = tokio::try_join!(
            self.store.memberships(tenant, id, 1),
            self.store.is_unfinished(tenant, kind, id)
        )?;
        Ok(!groups.is_empty() || unfinished)
    }

    /// Who is provisioned and may be this person: who has the file's id (`own`), the userName or
    /// the externalId, and by a verified address only if nobody has those, since others may say
    /// that it is theirs.
    async fn provisioned(
        &self,
        user: &Ready,
        own: Option<&Stored>,
        now: i64,
    ) -> anyhow::Result<Found> {
        let names = &user.names;
        let mut found = Found::new();
        add(&mut found, "id", own.map(std::slice::from_ref).unwrap_or_default());
        if let Some(name) = names.name() {
            for user in self.store.by_name(&self.at, name, now).await?.unwrap_or_default() {
                let known = user.names().external_id();
                let other = known.is_some()
                    && names.external_id().is_some()
                    && known != names.external_id();
                add(&mut found, if other { NAMESAKE } else { "userName" }, &[user]);
            }
        }
        if let Some(external_id) = names.external_id() {
            let users =
                self.store.by_external_id(&self.at, external_id, now).await?.unwrap_or_default();
            // Several may share it.
            if !users.iter().any(|user| is_among(&found, user)) {
                add(&mut found, "externalId", &users);
            }
        }
        if found.is_empty() {
            for email in names.emails() {
                // Who was adopted by it may have it as userName now.
                let users = self.store.by_email(&self.at, email, Some(email), now).await?;
                add(&mut found, EMAIL, &users.unwrap_or_default());
            }
        }
        Ok(found)
    }

    /// Stores these, and says of those whose names somebody took meanwhile what became of them.
    pub(super) async fn store(&self, users: &[Ready], report: &mut Report) -> anyhow::Result<()> {
        let mut rest: &[Ready] = users;
        let mut most = usize::MAX;
        while let Some(first) = rest.first() {
            let some: Vec<ResourceWrite<'_>> = rest
                .iter()
                .take(most)
                .map(|user| ResourceWrite {
                    resource: &user.resource,
                    names: &user.names,
                    takeover: Takeover::default(),
                    expires: None,
                })
                .collect();
            let batch =
                self.store.create_first(&self.at, &some, State::Unmanaged, &self.audit).await?;
            match (batch.stored, batch.taken) {
                (true, taken) => {
                    rest = rest.get(taken..).unwrap_or_default();
                    most = usize::MAX;
                }
                // Somebody came between, perhaps another import of the same file.
                (false, 1) => {
                    let fate = self.known(first).await?.unwrap_or_else(|| {
                        RecordOutcome::Conflict(
                            "another user has, or had until deleted, one of its names".into(),
                        )
                    });
                    if let Some(line) = report.lines.get_mut(first.index) {
                        line.fate = fate;
                    }
                    rest = rest.get(1..).unwrap_or_default();
                }
                (false, _) => most = 1,
            }
        }
        Ok(())
    }
}

fn add(found: &mut Found, what: &'static str, users: &[Stored]) {
    for user in users {
        if !is_among(found, user) {
            found.push((what, user.resource.id.clone()));
        }
    }
}

fn is_among(found: &Found, user: &Stored) -> bool {
    found.iter().any(|(_, id)| *id == user.resource.id)
}
