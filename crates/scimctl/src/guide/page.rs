//! A page of Markdown: the text of a guide with the facts of a connection in its places.

use anyhow::{Context, bail};

use super::facts::Facts;
use super::mapping::Mapping;
use super::source::Choice;
use super::text::{capitalized, code, table};
use super::{life, refusals};

/// The page of a guide for a connection.
pub(crate) fn page(choice: Choice, facts: &Facts) -> anyhow::Result<String> {
    let chosen = chosen(choice.guide.template(), facts)?;
    let mut lines = Vec::new();
    for line in chosen {
        let filled = filled(line, choice, facts)?;
        // A place that stays empty leaves no empty line.
        if !filled.is_empty() || line.is_empty() {
            lines.push(filled);
        }
    }
    let page = format!("{}\n{}", lines.join("\n"), ending(choice, facts));
    Ok(tidied(&page))
}

/// The lines that the profile chooses: those between `{{#groups}}` and `{{/groups}}` where groups
/// are served, and those after `{{^groups}}` where they are not.
fn chosen<'t>(template: &'t str, facts: &Facts) -> anyhow::Result<Vec<&'t str>> {
    let has_groups = facts.profile.groups.enabled;
    let mut is_chosen = true;
    let mut lines = Vec::new();
    for line in template.lines() {
        match line {
            "{{#groups}}" => is_chosen = has_groups,
            "{{^groups}}" => is_chosen = !has_groups,
            "{{/groups}}" => is_chosen = true,
            line if is_chosen => lines.push(line),
            _ => {}
        }
    }
    if !is_chosen {
        bail!("a choice does not end");
    }
    Ok(lines)
}

/// A line with the facts in its places.
fn filled(line: &str, choice: Choice, facts: &Facts) -> anyhow::Result<String> {
    let mut pieces = line.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").with_context(|| line.to_owned())?;
        let is_first = filled.trim_start().is_empty() || filled.ends_with(". ");
        let text = match name {
            "product" if is_first => facts.product_first(),
            name => place(name, choice, facts)?,
        };
        filled.push_str(&text);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// What stands in a place.
fn place(name: &str, choice: Choice, facts: &Facts) -> anyhow::Result<String> {
    let profile = &facts.profile;
    Ok(match name {
        "product" => facts.product(),
        "connection" => connection(facts),
        "mapping" => Mapping::new(facts, choice)?.text()?,
        "on_create" => life::on_create(profile),
        "on_update" => life::on_update(profile),
        "on_inactive" => life::on_inactive(facts),
        "on_return" => life::on_return(facts),
        "on_delete" => life::on_delete(facts),
        "limits" => life::limits(facts),
        "group_rules" => life::group_rules(profile),
        "no_groups" => life::no_groups(facts),
        "token_end" => facts.token_end(),
        "token_overlap" => facts.token_overlap(),
        name => bail!("the guide has an unknown place {name}"),
    })
}

/// What the administrator pastes.
fn connection(facts: &Facts) -> String {
    let rows = [
        ("Base URL", facts.base_url()),
        ("Token", facts.token()),
        ("Name of the connection, for support", code(&facts.tenant)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    table(&["what", "value"], rows)
}

/// The sections that are the same for each identity provider.
fn ending(choice: Choice, facts: &Facts) -> String {
    let (name, product, tenant) = (choice.guide.name, facts.product(), &facts.tenant);
    let name = capitalized(name);
    let refusals = refusals::text(facts, choice.guide.clicks);
    let command = |words: &str| code(&format!("scimctl {words}"));
    let profile = match facts.profile.preset.as_str() {
        "" => "default".to_owned(),
        preset => preset.to_owned(),
    };
    let dialect = match facts.other_dialect(choice) {
        None => code(&format!("--idp {}", choice.idp)),
        Some(other) => {
            let set = command(&format!("profile set {tenant} --idp {}", choice.idp));
            format!("{other}; {set} sets the one for this page")
        }
    };
    format!(
        "\n## If something is refused\n\n{name} shows the status and a sentence in its log.\n\
         Give the support of {product} the name of the connection, the time, and the code if you \
         find it here.\n\n{refusals}\n\n## For the operator of {product}\n\nThe connection {} \
         has the profile {} and {dialect}.\n\n* {} says `connected` after the first request that \
         succeeds, and when the token was last used.\n* {} shows what was refused, why, and what \
         to click.\n* {} shows who was created, changed and removed.\n* {} issues a new token.\n",
        code(tenant),
        code(&profile),
        command(&format!("tenant show {tenant}")),
        command(&format!("errors {tenant}")),
        command(&format!("log {tenant} --since 1h")),
        command(&format!("token rotate {tenant}")),
    )
}

/// The page with its steps numbered, without double blank lines.
fn tidied(page: &str) -> String {
    let mut step = 0;
    let mut tidied = String::with_capacity(page.len());
    for line in page.trim().lines() {
        if line.starts_with('#') {
            step = 0;
        }
        if line.is_empty() && tidied.ends_with("\n\n") {
            continue;
        }
        match line.strip_prefix("1. ") {
            Some(rest) => {
                step += 1;
                tidied.push_str(&format!("{step}. {rest}"));
            }
            None => tidied.push_str(line),
        }
        tidied.push('\n');
    }
    tidied
}
