//! One secret: its versions, their stages, and whether it is marked for deletion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The stage of the version that is read by default.
pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// How many versions a secret can have, not counting those that Secrets Manager may remove.
const MAX_VERSIONS: usize = 100;
/// How long a version without a stage is kept, in seconds.
const KEPT: i64 = 24 * 60 * 60;

/// The name of an exception of Secrets Manager, with its message.
pub(super) type Refusal = (&'static str, &'static str);
/// All secrets by their names.
pub(super) type Secrets = BTreeMap<String, Secret>;

/// A secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) description: String,
    /// Oldest first.
    pub(super) versions: Vec<Version>,
    /// When it will be deleted, in seconds since 1970, if it is marked for deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted: Option<i64>,
}

/// A version of a secret. One without stages is deprecated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) stages: Vec<String>,
    pub(super) text: String,
    /// In seconds since 1970.
    pub(super) created: i64,
}

impl Version {
    pub(super) fn holds(&self, stage: &str) -> bool {
        self.stages.iter().any(|held| held == stage)
    }
}

impl Secret {
    /// Whether the secret is gone: its time of recovery is over.
    pub(super) fn is_gone(&self, now: i64) -> bool {
        self.deleted.is_some_and(|deleted| deleted <= now)
    }

    /// The version of this id, if the secret has it.
    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that has a stage.
    pub(super) fn holder(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.holds(stage))
    }

    /// Adds a version with a stage. A version with the same id and the same text is not added
    /// again.
    pub(super) fn add(
        &mut self,
        id: &str,
        text: &str,
        stage: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        if let Some(version) = self.version(id) {
            return if version.text == text {
                Ok(())
            } else {
                Err((
                    "ResourceExistsException",
                    "You can't use this ClientRequestToken because that value is already in use \
                     for a version of this secret.",
                ))
            };
        }
        let is_kept =
            |version: &Version| !version.stages.is_empty() || version.created + KEPT > now;
        self.versions.retain(is_kept);
        if self.versions.len() >= MAX_VERSIONS {
            return Err((
                "LimitExceededException",
                "The request failed because it would exceed one of the Secrets Manager quotas.",
            ));
        }
        let (id, text) = (id.to_owned(), text.to_owned());
        self.versions.push(Version { id: id.clone(), stages: Vec::new(), text, created: now });
        self.attach(&id, stage);
        Ok(())
    }

    /// Attaches a stage to one version only. The version that was current becomes the previous one.
    pub(super) fn attach(&mut self, id: &str, stage: &str) {
        for version in &mut self.versions {
            let held = version.holds(stage);
            version.stages.retain(|held| held != stage && !(stage == CURRENT && held == PREVIOUS));
            if version.id == id {
                version.stages.push(stage.to_owned());
            } else if held && stage == CURRENT {
                version.stages.push(PREVIOUS.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_takes_a_hundred_versions_in_a_day() {
        let mut secret = Secret::default();
        for number in 0..MAX_VERSIONS {
            secret.add(&format!("v{number}"), "x", CURRENT, 0).unwrap();
        }
        let full = secret.add("late", "x", CURRENT, KEPT - 1).unwrap_err();
        assert_eq!(full.0, "LimitExceededException");
        assert!(secret.add("v7", "x", CURRENT, 0).is_ok(), "no version is added");
        assert_eq!(secret.add("v7", "y", CURRENT, 0).unwrap_err().0, "ResourceExistsException");
        secret.add("next", "x", CURRENT, KEPT).unwrap();
        let ids: Vec<_> = secret.versions.iter().map(|version| version.id.as_str()).collect();
        assert_eq!(ids, ["v98", "v99", "next"], "the others were deprecated for a day");
    }
}
