//! `scimctl errors`: what an identity provider was refused, and what to click to cure it.

use clap::Args;
use scim_lambda::operator::refusals::{Refusal, RefusalQuery};
use serde_json::{Value, json};

use crate::output::{Format, instant, print, visible};
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
    let objects: Vec<Value> = refusals.iter().map(object).collect();
    let all = json!({ "tenant": tenant, "since": instant(since), "refusals": objects });
    let lines: Vec<String> =
        refusals.iter().map(|refusal| lines(refusal, who.as_deref())).collect();
    let lines = if lines.is_empty() {
        let about = who.as_ref().map(|who| format!(" about {}", visible(who)));
        let about = about.unwrap_or_default();
        format!("Nothing{about} was refused for {tenant} since {}.", instant(since))
    } else {
        lines.join("\n\n")
    };
    print(format, &all, &lines);
    Ok(())
}

/// A refusal for scripts.
pub(crate) fn object(refusal: &Refusal) -> Value {
    let request = &refusal.request;
    json!({
        "code": request.code, "status": request.status, "method": request.method,
        "route": request.route, "detail": request.detail, "attribute": request.attribute,
        "about": request.about.iter().find(|about| !is_mark(about)),
        "count": request.count, "first": instant(request.first), "last": instant(request.last),
        "request": request.request, "key": request.key, "cure": refusal.cure(),
    })
}

/// Whether this stands for a name that is not stored.
fn is_mark(about: &str) -> bool {
    about.starts_with('~')
}

/// A refusal for people; `who` is the name under which it was asked for.
pub(crate) fn lines(refusal: &Refusal, who: Option<&str>) -> String {
    let request = &refusal.request;
    let times = match request.count {
        1 => instant(request.last),
        count => {
            format!("{}, {count} times since {}", instant(request.last), instant(request.first))
        }
    };
    let id = request.about.iter().find(|about| !is_mark(about));
    let named = who.map(visible).or_else(|| id.cloned());
    let nobody = if request.about.is_empty() { "nobody in particular" } else { UNNAMED };
    let named = named.unwrap_or_else(|| nobody.to_owned());
    let mut lines = vec![
        times,
        format!(
            "  What   {} {}: {} {}",
            request.method, request.route, request.status, request.code
        ),
        format!("  About  {named}"),
        format!("  Why    {}", visible(&request.detail)),
    ];
    if let Some(reason) = refusal.reason {
        lines.push(format!("  Cure   {}", reason.what_to_do()));
        let click = reason.click(refusal.idp);
        lines.extend(click.map(|click| format!("         In {}: {click}", refusal.idp.name())));
    }
    lines.join("\n")
}

const UNNAMED: &str = "somebody whose name is not stored";
