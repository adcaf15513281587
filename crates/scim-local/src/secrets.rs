//! The part of AWS Secrets Manager that the service and its tool use, in the SDK's own wire format:
//! create, get, put, describe, list and delete, with versions and their stages. The contract tests
//! run the same calls against an independent emulator.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::private;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Secrets in a file that only its owner can read, or in memory. Clones share them.
#[derive(Debug, Clone)]
pub struct Vault {
    file: Option<PathBuf>,
    secrets: Arc<Mutex<BTreeMap<String, Secret>>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Secret {
    description: String,
    /// Oldest first.
    versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    stages: Vec<String>,
    text: String,
    created: i64,
}

/// The name of an exception of Secrets Manager, with its message.
type Refusal = (&'static str, &'static str);
const NOT_FOUND: Refusal =
    ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

impl Vault {
    /// Opens the secrets in a file, which need not exist yet.
    ///
    /// # Errors
    /// If the file cannot be read or does not hold secrets.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let secrets = match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is not a secrets file", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", file.display()));
            }
        };
        Ok(Self { file: Some(file.to_owned()), secrets: Arc::new(Mutex::new(secrets)) })
    }

    /// Secrets in memory, lost when the process ends.
    pub fn memory() -> Self {
        Self { file: None, secrets: Arc::default() }
    }

    /// Answers one request by its operation and JSON body.
    pub fn call(&self, operation: &str, body: &str) -> (StatusCode, String) {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = secrets.clone();
        let answer = match operation {
            "GetSecretValue" => get(&changed, &request),
            "DescribeSecret" => describe(&changed, &request),
            "ListSecrets" => Ok(list(&changed)),
            "CreateSecret" => create(&mut changed, &request),
            "PutSecretValue" => put(&mut changed, &request),
            "UpdateSecretVersionStage" => move_stage(&mut changed, &request),
            "DeleteSecret" => delete(&mut changed, &request),
            _ => Err(("InvalidRequestException", "This operation is not supported here.")),
        };
        let reads = matches!(operation, "GetSecretValue" | "DescribeSecret" | "ListSecrets");
        let answer = match answer {
            Ok(answer) if !reads => self.save(&changed).map(|()| {
                *secrets = changed;
                answer
            }),
            answer => answer,
        };
        match answer {
            Ok(answer) => (StatusCode::OK, answer.to_string()),
            Err(("InternalServiceError", message)) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({ "__type": "InternalServiceError", "Message": message }).to_string(),
            ),
            Err((kind, message)) => {
                (StatusCode::BAD_REQUEST, json!({ "__type": kind, "Message": message }).to_string())
            }
        }
    }

    /// Writes a new file and moves it into place, so that a crash loses nothing.
    fn save(&self, secrets: &BTreeMap<String, Secret>) -> Result<(), Refusal> {
        let Some(file) = &self.file else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let temporary = file.with_extension("new");
            let mut new = private::create(&temporary)?;
            new.write_all(&serde_json::to_vec_pretty(secrets)?)?;
            new.sync_all()?;
            fs::rename(temporary, file)
        };
        write().map_err(|_| ("InternalServiceError", "The secrets file cannot be written."))
    }
}

fn get(secrets: &BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let (name, secret) = find(secrets, request)?;
    let stage = text(request, "VersionStage").unwrap_or(CURRENT);
    let wanted = |version: &&Version| match text(request, "VersionId") {
        Some(id) => version.id == id,
        None => version.stages.iter().any(|held| held == stage),
    };
    let version = secret.versions.iter().find(wanted).ok_or(NOT_FOUND)?;
    Ok(json!({
        "ARN": arn(name), "Name": name, "VersionId": version.id, "SecretString": version.text,
        "VersionStages": version.stages, "CreatedDate": version.created,
    }))
}

fn describe(secrets: &BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let (name, secret) = find(secrets, request)?;
    Ok(summary(name, secret))
}

fn list(secrets: &BTreeMap<String, Secret>) -> Value {
    json!({ "SecretList": secrets.iter().map(|(name, secret)| summary(name, secret)).collect::<Vec<_>>() })
}

fn summary(name: &str, secret: &Secret) -> Value {
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    let stages: serde_json::Map<_, _> =
        staged.map(|version| (version.id.clone(), json!(version.stages))).collect();
    json!({ "ARN": arn(name), "Name": name, "Description": secret.description, "VersionIdsToStages": stages })
}

fn create(secrets: &mut BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let name =
        text(request, "Name").ok_or(("InvalidParameterException", "The secret needs a name."))?;
    if secrets.contains_key(name) {
        return Err((
            "ResourceExistsException",
            "The operation failed because the secret already exists.",
        ));
    }
    let description = text(request, "Description").unwrap_or_default().to_owned();
    let secret =
        secrets.entry(name.to_owned()).or_insert(Secret { description, versions: Vec::new() });
    let id = add(secret, request, CURRENT)?;
    Ok(json!({ "ARN": arn(name), "Name": name, "VersionId": id }))
}

fn put(secrets: &mut BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let name = find(secrets, request)?.0.to_owned();
    let secret = secrets.get_mut(&name).ok_or(NOT_FOUND)?;
    let stage =
        request.get("VersionStages").and_then(|stages| stages.get(0)?.as_str()).unwrap_or(CURRENT);
    let id = add(secret, request, stage)?;
    Ok(json!({ "ARN": arn(&name), "Name": name, "VersionId": id, "VersionStages": [stage] }))
}

/// Moves a stage from the version that the request names to another one.
fn move_stage(secrets: &mut BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let wrong = ("InvalidParameterException", "The staging label is not attached to that version.");
    let name = find(secrets, request)?.0.to_owned();
    let secret = secrets.get_mut(&name).ok_or(NOT_FOUND)?;
    let (stage, to) = (
        text(request, "VersionStage").ok_or(wrong)?,
        text(request, "MoveToVersionId").ok_or(wrong)?,
    );
    let holds = |version: &Version| version.stages.iter().any(|held| held == stage);
    let holder =
        secret.versions.iter().find(|version| holds(version)).map(|version| version.id.as_str());
    if holder != text(request, "RemoveFromVersionId")
        || !secret.versions.iter().any(|version| version.id == to)
    {
        return Err(wrong);
    }
    attach(secret, to, stage);
    Ok(json!({ "ARN": arn(&name), "Name": name }))
}

fn delete(secrets: &mut BTreeMap<String, Secret>, request: &Value) -> Result<Value, Refusal> {
    let name = find(secrets, request)?.0.to_owned();
    secrets.remove(&name);
    Ok(json!({ "ARN": arn(&name), "Name": name }))
}

/// Adds a version with a stage. A request with the same token and the same text does not add
/// another version.
fn add(secret: &mut Secret, request: &Value, stage: &str) -> Result<String, Refusal> {
    let missing =
        ("InvalidParameterException", "The request needs ClientRequestToken and SecretString.");
    let id = text(request, "ClientRequestToken").ok_or(missing)?;
    let new = text(request, "SecretString").ok_or(missing)?;
    if let Some(version) = secret.versions.iter().find(|version| version.id == id) {
        return if version.text == new {
            Ok(id.to_owned())
        } else {
            Err(("ResourceExistsException", "A version with this token has another value."))
        };
    }
    let created = seconds();
    secret.versions.push(Version {
        id: id.to_owned(),
        stages: Vec::new(),
        text: new.to_owned(),
        created,
    });
    attach(secret, id, stage);
    Ok(id.to_owned())
}

/// Attaches a stage to one version only. The version that was current becomes the previous one.
/// Versions without a stage are removed.
fn attach(secret: &mut Secret, id: &str, stage: &str) {
    for version in &mut secret.versions {
        let held = version.stages.iter().any(|held| held == stage);
        version.stages.retain(|held| held != stage && !(stage == CURRENT && held == PREVIOUS));
        if version.id == id {
            version.stages.push(stage.to_owned());
        } else if held && stage == CURRENT {
            version.stages.push(PREVIOUS.to_owned());
        }
    }
    secret.versions.retain(|version| !version.stages.is_empty());
}

fn find<'s>(
    secrets: &'s BTreeMap<String, Secret>,
    request: &Value,
) -> Result<(&'s str, &'s Secret), Refusal> {
    let id = text(request, "SecretId")
        .ok_or(("InvalidParameterException", "The request needs SecretId."))?;
    let found = secrets.iter().find(|(name, _)| *name == id || arn(name) == id);
    found.map(|(name, secret)| (name.as_str(), secret)).ok_or(NOT_FOUND)
}

fn text<'r>(request: &'r Value, name: &str) -> Option<&'r str> {
    request.get(name).and_then(Value::as_str)
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{name}")
}

/// Seconds since 1970, by the system's clock.
fn seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs().try_into().unwrap_or(i64::MAX)
}
