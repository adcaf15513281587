//! `scimctl errors`: what an identity provider was refused, and what to click to cure it.

use clap::Args;
use scim_lambda::operator::refusals::{Refusal, RefusalQuery, Refusals};
use scim_lambda::reason::Reason;
use serde_json::{Value, json};

use crate::output::{Format, counted, instant, print, visible};
use crate::place::Place;
use crate::when::{self, Moment};

/// Show what a tenant's identity provider was refused, why, and what to click there
#[derive(Debug, Args)]
pub(crate) struct ErrorsOptions {
    /// The tenant's name
    tenant: String,
    /// Only about this person or group: an id, a userName, an externalId or a displayName
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only since then: how long ago, such as 24h or 7d, or a time
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = when::parse)]
    since: Moment,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(crate) async fn run(
    place: &Place,
    options: &ErrorsOptions,
    format: Format,
) -> anyhow::Result<()> {
    let ErrorsOptions { tenant, who, since, limit } = options;
    let Moment(since) = *since;
    let operator = &place.connect().await?.operator;
    let row = operator.tenant(tenant).await?;
    let query = RefusalQuery { since: Some(since), about: who.clone(), limit: *limit };
    let refusals = operator.refusals(&row, &query).await?;
    let objects: Vec<Value> = refusals.refusals.iter().map(object).collect();
    let all = json!({
        "tenant": tenant, "since": instant(since), "refusals": objects,
        "complete": refusals.is_complete, "uncounted": refusals.uncounted,
    });
    let lines = page(&refusals, who.as_deref()).join("\n\n");
    let lines = if lines.is_empty() {
        let about = who.as_ref().map(|who| format!(" about {}", visible(who)));
        let about = about.unwrap_or_default();
        format!("Nothing{about} was refused for {tenant} since {}.", instant(since))
    } else {
        lines
    };
    print(format, &all, &lines);
    Ok(())
}

/// Refusals for people: those of one reason together, then the attributes that were left out.
/// `who` is the name under which they were asked for.
pub(crate) fn page(
    Refusals { refusals, is_complete, uncounted }: &Refusals,
    who: Option<&str>,
) -> Vec<String> {
    let is_dropped = |one: &&Refusal| one.reason == Some(Reason::AttributeDropped);
    let (dropped, refused): (Vec<&Refusal>, Vec<&Refusal>) = refusals.iter().partition(is_dropped);
    let mut groups: Vec<Vec<&Refusal>> = Vec::new();
    for one in refused {
        let is_same =
            |group: &&mut Vec<&Refusal>| group.first().is_some_and(|first| alike(first, one));
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let mut page: Vec<String> = groups.iter().map(|group| lines(group, who)).collect();
    if !dropped.is_empty() {
        let head = "Left out of requests, because the profile does not have these attributes:";
        let lines = dropped.into_iter().map(left_out);
        page.push(std::iter::once(head.to_owned()).chain(lines).collect::<Vec<_>>().join("\n"));
    }
    if *uncounted > 0 {
        page.push(format!("{uncounted} more requests of these bursts were refused."));
    }
    if !is_complete {
        page.push("There are more; a larger --limit shows them.".to_owned());
    }
    page
}

/// Whether two refusals are shown together.
fn alike(one: &Refusal, other: &Refusal) -> bool {
    let (one, other) = (&one.request, &other.request);
    (&one.code, one.status, &one.method, &one.route, &one.detail)
        == (&other.code, other.status, &other.method, &other.route, &other.detail)
}

/// An attribute that was left out.
fn left_out(refusal: &Refusal) -> String {
    let request = &refusal.request;
    let name = match request.attribute.as_deref() {
        Some("other") | None => "attributes that SCIM does not have, whose names are not kept",
        Some(name) => name,
    };
    let times =
        if request.count == 1 { "once".to_owned() } else { format!("{} times", request.count) };
    format!("  {}  {times}, last {}", visible(name), instant(request.last))
}

/// A refusal for scripts.
pub(crate) fn object(refusal: &Refusal) -> Value {
    let request = &refusal.request;
    json!({
        "code": request.code, "status": request.status, "method": request.method,
        "route": request.route, "detail": request.detail, "attribute": request.attribute,
        "about": request.about.iter().find(|about| !is_mark(about)), "name": refusal.name,
        "count": request.count, "first": instant(request.first), "last": instant(request.last),
        "request": request.request, "key": request.key, "cure": refusal.cure(),
    })
}

/// Whether this stands for a name that is not stored.
fn is_mark(about: &str) -> bool {
    about.starts_with('~')
}

/// Refusals of one reason for people.
fn lines(refusals: &[&Refusal], who: Option<&str>) -> String {
    let Some(newest) = refusals.first() else { return String::new() };
    let request = &newest.request;
    let mut lines = vec![
        times(refusals),
        format!(
            "  What   {} {}: {} {}",
            request.method, request.route, request.status, request.code
        ),
        format!("  About  {}", about(refusals, who)),
        format!("  Why    {}", visible(&request.detail)),
    ];
    if let Some(reason) = newest.reason {
        lines.push(format!("  Cure   {}", reason.what_to_do()));
        let click = reason.click(newest.idp);
        lines.extend(click.map(|click| format!("         In {}: {click}", newest.idp.name())));
    }
    lines.join("\n")
}

/// When they happened, and how often.
fn times(refusals: &[&Refusal]) -> String {
    let requests = || refusals.iter().map(|refusal| &refusal.request);
    let last = requests().map(|request| request.last).max().unwrap_or_default();
    let first = requests().map(|request| request.first).min().unwrap_or_default();
    match requests().map(|request| request.count).sum() {
        1 => instant(last),
        count => format!("{}, {count} times since {}", instant(last), instant(first)),
    }
}

/// The resources that they are about, each once.
fn about(refusals: &[&Refusal], who: Option<&str>) -> String {
    if let Some(who) = who {
        return visible(who);
    }
    let mut named: Vec<&str> = Vec::new();
    let (mut unnamed, mut nobody) = (0_u64, 0);
    for Refusal { request, name, .. } in refusals {
        let id = request.about.iter().find(|about| !is_mark(about));
        match name.as_ref().or(id) {
            Some(name) if named.contains(&name.as_str()) => {}
            Some(name) => named.push(name),
            None if request.about.is_empty() => nobody += 1,
            None => unnamed += 1,
        }
    }
    let more = named.len().saturating_sub(SHOWN) as u64;
    named.truncate(SHOWN);
    let mut parts: Vec<String> = named.into_iter().map(visible).collect();
    parts.extend((more > 0).then(|| format!("{more} more")));
    parts.extend((unnamed > 0).then(|| {
        format!("{} whose names are not kept; --who tests a name", counted(unnamed, "resource"))
    }));
    if parts.is_empty() && nobody > 0 {
        "nobody in particular".to_owned()
    } else {
        parts.join(", ")
    }
}

/// How many names are shown of the refusals of one reason.
const SHOWN: usize = 5;
