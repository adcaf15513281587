//! `scimctl group`: the groups of a tenant and their members.

use anyhow::anyhow;
use clap::Subcommand;
use scim_core::members::MemberType;
use scim_core::value::date_time;
use scim_lambda::operator::Operator;
use scim_lambda::operator::groups::{GroupList, ListedGroup, ShownGroup, ShownMember};
use serde_json::{Value, json};

use crate::output::{Format, counted, print, visible};
use crate::place::Place;
use crate::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List groups with the number of their members
    List {
        /// The tenant's name
        tenant: String,
        /// How many groups to list
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show a group and its members
    Show {
        /// The tenant's name
        tenant: String,
        /// The group's displayName, externalId or id
        who: String,
        /// How many members to show
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
}

pub(crate) async fn run(
    place: &Place,
    command: GroupCommand,
    format: Format,
) -> anyhow::Result<()> {
    let operator = &place.connect().await?.operator;
    match command {
        GroupCommand::List { tenant, limit } => list(operator, &tenant, limit, format).await,
        GroupCommand::Show { tenant, who, limit } => {
            show(operator, &tenant, &who, limit, format).await
        }
    }
}

async fn list(
    operator: &Operator,
    tenant: &str,
    limit: usize,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let GroupList { groups, is_complete } = operator.groups(&row, limit).await?;
    let objects: Vec<Value> = groups.iter().map(object).collect();
    let mut table = Table::new(["group", "members", "changed", "external id", "id"]);
    for group in &groups {
        let (members, changed) = (group.members.to_string(), date_time(group.modified));
        let external_id = group.external_id.as_deref().unwrap_or_default();
        table.push([&group.display_name, &members, &changed, external_id, group.id.as_str()]);
    }
    let mut lines = match groups.len() {
        0 => format!("{tenant} has no groups."),
        _ => table.lines(),
    };
    if !is_complete {
        lines += "\nThere are more; --limit shows them.";
    }
    let object = json!({ "tenant": tenant, "groups": objects, "complete": is_complete });
    print(format, &object, &lines);
    Ok(())
}

async fn show(
    operator: &Operator,
    tenant: &str,
    who: &str,
    limit: usize,
    format: Format,
) -> anyhow::Result<()> {
    let row = operator.tenant(tenant).await?;
    let shown = operator.group(&row, who, limit).await?;
    let shown = shown.ok_or_else(|| {
        anyhow!("{tenant} has no group {who}; scimctl group list {tenant} shows them")
    })?;
    let mut object = object(&shown.group);
    let members: Vec<Value> = shown.members.iter().map(member).collect();
    if let Some(object) = object.as_object_mut() {
        object.insert("tenant".into(), tenant.into());
        object.insert("created".into(), date_time(shown.created).into());
        object.insert("shown".into(), members.into());
    }
    print(format, &object, &lines(&shown));
    Ok(())
}

fn lines(ShownGroup { group, created, members }: &ShownGroup) -> String {
    let head = [
        ("Group", format!("{} ({})", group.display_name, group.id)),
        ("External id", group.external_id.clone().unwrap_or_else(|| "-".to_owned())),
        ("Created", date_time(*created)),
        ("Changed", date_time(group.modified)),
        ("Members", group.members.to_string()),
    ];
    let line = |(name, value): &(&str, String)| format!("{name:12} {}", visible(value));
    let mut lines: Vec<String> = head.iter().map(line).collect();
    if !members.is_empty() {
        let mut table = Table::new(["member", "type", "id"]);
        for member in members {
            let name = member.name.as_deref().unwrap_or_default();
            table.push([name, kind(member.kind), member.id.as_str()]);
        }
        lines.push(String::new());
        lines.push(table.lines());
    }
    if members.len() < group.members {
        let rest = counted((group.members - members.len()) as u64, "more member");
        lines.push(format!("{rest}; --limit shows them."));
    }
    lines.join("\n")
}

fn object(group: &ListedGroup) -> Value {
    json!({
        "id": group.id.as_str(), "displayName": group.display_name,
        "externalId": group.external_id, "members": group.members,
        "modified": date_time(group.modified),
    })
}

fn member(member: &ShownMember) -> Value {
    json!({ "id": member.id.as_str(), "type": kind(member.kind), "name": member.name })
}

fn kind(kind: Option<MemberType>) -> &'static str {
    match kind {
        Some(MemberType::User) => "User",
        Some(MemberType::Group) => "Group",
        None => "",
    }
}
