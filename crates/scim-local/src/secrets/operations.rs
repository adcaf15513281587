//! The operations, each from its request to its answer.

use serde_json::{Value, json};

use super::secret::{CURRENT, Refusal, Secret, Secrets};

const NOT_FOUND: Refusal =
    ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
const MARKED: Refusal = (
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
);
const DAY: i64 = 24 * 60 * 60;
/// The number of days in which a secret can be restored, by default.
const RECOVERY_DAYS: i64 = 30;
/// The number of versions in one answer.
const MAX_RESULTS: usize = 25;

/// The answer of an operation that only reads; `None` if it writes.
pub(super) fn read(
    secrets: &Secrets,
    operation: &str,
    request: &Value,
    now: i64,
) -> Option<Result<Value, Refusal>> {
    Some(match operation {
        "GetSecretValue" => get(secrets, request, now),
        "DescribeSecret" => describe(secrets, request, now),
        "ListSecretVersionIds" => list_versions(secrets, request, now),
        "ListSecrets" => Ok(list(secrets, request, now)),
        _ => return None,
    })
}

/// The answer of an operation that writes.
pub(super) fn write(
    secrets: &mut Secrets,
    operation: &str,
    request: &Value,
    now: i64,
) -> Result<Value, Refusal> {
    secrets.retain(|_, secret| !secret.is_gone(now));
    match operation {
        "CreateSecret" => create(secrets, request, now),
        "PutSecretValue" => put(secrets, request, now),
        "UpdateSecretVersionStage" => move_stage(secrets, request, now),
        "DeleteSecret" => delete(secrets, request, now),
        "RestoreSecret" => restore(secrets, request, now),
        _ => Err(("InvalidRequestException", "This operation is not supported here.")),
    }
}

fn get(secrets: &Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let (name, secret) = find_usable(secrets, request, now)?;
    let version = match text(request, "VersionId") {
        Some(id) => secret.version(id),
        None => secret.holder(text(request, "VersionStage").unwrap_or(CURRENT)),
    };
    let version = version.ok_or(NOT_FOUND)?;
    Ok(json!({
        "ARN": arn(name), "Name": name, "VersionId": version.id, "SecretString": version.text,
        "VersionStages": version.stages, "CreatedDate": version.created,
    }))
}

fn describe(secrets: &Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let (name, secret) = find(secrets, request, now)?;
    Ok(summary(name, secret))
}

fn list(secrets: &Secrets, request: &Value, now: i64) -> Value {
    let all = request.get("IncludePlannedDeletion").and_then(Value::as_bool).unwrap_or_default();
    let shown = secrets
        .iter()
        .filter(|(_, secret)| !secret.is_gone(now) && (all || secret.deleted.is_none()));
    json!({ "SecretList": shown.map(|(name, secret)| summary(name, secret)).collect::<Vec<_>>() })
}

fn summary(name: &str, secret: &Secret) -> Value {
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    let stages: serde_json::Map<_, _> =
        staged.map(|version| (version.id.clone(), json!(version.stages))).collect();
    let mut summary = json!({
        "ARN": arn(name), "Name": name, "Description": secret.description,
        "VersionIdsToStages": stages,
    });
    if let (Some(deleted), Some(summary)) = (secret.deleted, summary.as_object_mut()) {
        summary.insert("DeletedDate".into(), deleted.into());
    }
    summary
}

/// The versions of a secret, a page at a time; with `IncludeDeprecated` also those without a stage.
fn list_versions(secrets: &Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let (name, secret) = find(secrets, request, now)?;
    let all = request.get("IncludeDeprecated").and_then(Value::as_bool).unwrap_or_default();
    let from: usize =
        text(request, "NextToken").and_then(|token| token.parse().ok()).unwrap_or_default();
    let limit = request.get("MaxResults").and_then(Value::as_u64);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_RESULTS);
    let shown = secret.versions.iter().filter(|version| all || !version.stages.is_empty());
    let versions: Vec<_> = shown
        .map(|version| {
            json!({
                "VersionId": version.id, "VersionStages": version.stages,
                "CreatedDate": version.created,
            })
        })
        .collect();
    let to = versions.len().min(from.saturating_add(limit));
    let page = versions.get(from..to).unwrap_or_default();
    let next = (to < versions.len()).then(|| to.to_string());
    Ok(json!({ "ARN": arn(name), "Name": name, "Versions": page, "NextToken": next }))
}

fn create(secrets: &mut Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let name =
        text(request, "Name").ok_or(("InvalidParameterException", "The secret needs a name."))?;
    if let Some(secret) = secrets.get(name) {
        return Err(match secret.deleted {
            Some(_) => (
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already \
                 scheduled for deletion.",
            ),
            None => (
                "ResourceExistsException",
                "The operation failed because the secret already exists.",
            ),
        });
    }
    let description = text(request, "Description").unwrap_or_default().to_owned();
    let mut secret = Secret { description, ..Secret::default() };
    let (id, value) = version(request)?;
    secret.add(id, value, CURRENT, now)?;
    secrets.insert(name.to_owned(), secret);
    Ok(json!({ "ARN": arn(name), "Name": name, "VersionId": id }))
}

fn put(secrets: &mut Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let name = find_usable(secrets, request, now)?.0.to_owned();
    let secret = secrets.get_mut(&name).ok_or(NOT_FOUND)?;
    let stage =
        request.get("VersionStages").and_then(|stages| stages.get(0)?.as_str()).unwrap_or(CURRENT);
    let (id, value) = version(request)?;
    secret.add(id, value, stage, now)?;
    Ok(json!({ "ARN": arn(&name), "Name": name, "VersionId": id, "VersionStages": [stage] }))
}

/// Moves a stage from the version that the request names to another one.
fn move_stage(secrets: &mut Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let wrong = ("InvalidParameterException", "The staging label is not attached to that version.");
    let name = find_usable(secrets, request, now)?.0.to_owned();
    let secret = secrets.get_mut(&name).ok_or(NOT_FOUND)?;
    let (stage, to) = (
        text(request, "VersionStage").ok_or(wrong)?,
        text(request, "MoveToVersionId").ok_or(wrong)?,
    );
    let holder = secret.holder(stage).map(|version| version.id.as_str());
    if holder != text(request, "RemoveFromVersionId") || secret.version(to).is_none() {
        return Err(wrong);
    }
    secret.attach(to, stage);
    Ok(json!({ "ARN": arn(&name), "Name": name }))
}

/// Marks a secret for deletion, or removes it at once.
fn delete(secrets: &mut Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let name = find(secrets, request, now)?.0.to_owned();
    let force = request.get("ForceDeleteWithoutRecovery").and_then(Value::as_bool);
    let days = request.get("RecoveryWindowInDays").and_then(Value::as_i64);
    if days.is_some_and(|days| !(7..=30).contains(&days)) {
        return Err((
            "InvalidParameterException",
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    }
    if force == Some(true) {
        secrets.remove(&name);
        return Ok(json!({ "ARN": arn(&name), "Name": name, "DeletionDate": now }));
    }
    let secret = secrets.get_mut(&name).ok_or(NOT_FOUND)?;
    if secret.deleted.is_some() {
        return Err(MARKED);
    }
    let date = now + days.unwrap_or(RECOVERY_DAYS) * DAY;
    secret.deleted = Some(date);
    Ok(json!({ "ARN": arn(&name), "Name": name, "DeletionDate": date }))
}

fn restore(secrets: &mut Secrets, request: &Value, now: i64) -> Result<Value, Refusal> {
    let name = find(secrets, request, now)?.0.to_owned();
    secrets.get_mut(&name).ok_or(NOT_FOUND)?.deleted = None;
    Ok(json!({ "ARN": arn(&name), "Name": name }))
}

/// The id and the text of a new version.
fn version(request: &Value) -> Result<(&str, &str), Refusal> {
    let missing =
        ("InvalidParameterException", "The request needs ClientRequestToken and SecretString.");
    let id = text(request, "ClientRequestToken").ok_or(missing)?;
    Ok((id, text(request, "SecretString").ok_or(missing)?))
}

fn find<'s>(
    secrets: &'s Secrets,
    request: &Value,
    now: i64,
) -> Result<(&'s str, &'s Secret), Refusal> {
    let id = text(request, "SecretId")
        .ok_or(("InvalidParameterException", "The request needs SecretId."))?;
    let found = secrets.iter().find(|(name, _)| *name == id || arn(name) == id);
    let found = found.filter(|(_, secret)| !secret.is_gone(now));
    found.map(|(name, secret)| (name.as_str(), secret)).ok_or(NOT_FOUND)
}

/// As [`find`], but only a secret that is not marked for deletion.
fn find_usable<'s>(
    secrets: &'s Secrets,
    request: &Value,
    now: i64,
) -> Result<(&'s str, &'s Secret), Refusal> {
    let found = find(secrets, request, now)?;
    if found.1.deleted.is_some() { Err(MARKED) } else { Ok(found) }
}

fn text<'r>(request: &'r Value, name: &str) -> Option<&'r str> {
    request.get(name).and_then(Value::as_str)
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}")
}
