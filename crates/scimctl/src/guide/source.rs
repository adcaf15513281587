//! The guides: one file for each identity provider, with its own names for attributes.

use anyhow::{Context, bail};
use scim_lambda::reason::Idp;
use scim_lambda::tenant::profile::IDPS;
use serde_json::Value;

/// The guide for an identity provider.
#[derive(Debug)]
pub(crate) struct Guide {
    /// The name of its page.
    pub(crate) page: &'static str,
    /// The identity provider in a sentence.
    pub(crate) name: &'static str,
    /// The value of `--idp` for its dialect.
    pub(crate) idp: &'static str,
    /// Other values of `--idp` that lead to it.
    also: &'static [&'static str],
    /// The identity provider whose clicks the cures name.
    pub(crate) clicks: Idp,
    /// How the service was tested with it.
    #[cfg(test)]
    pub(crate) tested: &'static str,
    text: &'static str,
}

/// A guide, and the dialect for which it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) guide: &'static Guide,
    pub(crate) idp: &'static str,
}

macro_rules! guides {
    ($($page:literal $name:literal $idp:literal $also:expr, $clicks:ident, $tested:literal;)*) => {
        /// All guides, in the order of the index.
        pub(crate) const GUIDES: &[Guide] = &[$(Guide {
            page: $page,
            name: $name,
            idp: $idp,
            also: &$also,
            clicks: Idp::$clicks,
            #[cfg(test)]
            tested: $tested,
            text: include_str!(concat!("../../guides/", $page, ".md")),
        },)*];
    };
}

guides! {
    "entra" "Entra ID" "entra" [], Entra,
        "its requests (`tests/transcripts/entra.txt`), and the collections of its validator";
    "okta" "Okta" "okta" [], Okta,
        "its requests (`tests/transcripts/okta.txt`), and its collection of tests";
    "onelogin" "OneLogin" "onelogin" [], OneLogin, "its documentation only";
    "google-workspace" "Google Workspace" "google" ["google"], Google, "its documentation only";
    "jumpcloud" "JumpCloud" "jumpcloud" [], Generic,
        "its requests (`tests/transcripts/jumpcloud.txt`)";
    "ping" "PingOne" "ping" [], Generic,
        "the requests of PingFederate (`tests/transcripts/ping.txt`)";
    "authentik" "authentik" "authentik" [], Generic,
        "its requests (`tests/transcripts/authentik.txt`), and its own client's collection";
    "keycloak" "Keycloak" "other" [], Generic, "the documentation of its plug-ins only";
    "sailpoint" "SailPoint" "other" [], Generic, "its documentation only";
    "generic" "your identity provider" "other" ["other", "aws"], Generic,
        "the suites of `tests/conformance`";
}

impl Choice {
    /// The guide for a value of `--idp`, or for the name of a page.
    ///
    /// # Errors
    /// If no guide has this name.
    pub(crate) fn of(name: &str) -> anyhow::Result<Self> {
        for guide in GUIDES {
            if let Some(idp) = guide.also.iter().find(|also| **also == name) {
                // The name of a page is not always that of a dialect.
                return Ok(Self { guide, idp });
            }
            if guide.page == name {
                return Ok(Self { guide, idp: guide.idp });
            }
        }
        let names: Vec<&str> = GUIDES.iter().map(|guide| guide.page).collect();
        bail!("there is no guide for {name}; take one of: {}", names.join(", "))
    }

    /// The names of the attributes' sources by their paths. What error messages tell an
    /// administrator to map comes first.
    pub(crate) fn sources(&self) -> anyhow::Result<Vec<(String, String)>> {
        let idps: Value = serde_json::from_str(IDPS)?;
        let idp = idps.get(self.idp).and_then(|idp| idp.get("sources")).and_then(Value::as_object);
        let mut sources: Vec<(String, String)> = idp
            .into_iter()
            .flatten()
            .filter_map(|(path, source)| Some((path.clone(), source.as_str()?.to_owned())))
            .collect();
        for (path, source) in self.guide.own_sources()? {
            if !sources.iter().any(|(known, _)| *known == path) {
                sources.push((path, source));
            }
        }
        Ok(sources)
    }
}

impl Guide {
    /// The text with placeholders, without the comments at its beginning.
    pub(crate) fn template(&self) -> &'static str {
        self.text.find("\n# ").and_then(|at| self.text.get(at + 1..)).unwrap_or(self.text)
    }

    /// The lines of a comment at its beginning.
    fn comment(&self, name: &str) -> impl Iterator<Item = &'static str> {
        let begin = format!("<!-- {name}\n");
        let text = self.text.split_once(begin.as_str()).map_or("", |(_, rest)| rest);
        text.split("-->").next().unwrap_or_default().lines().filter(|line| !line.is_empty())
    }

    /// The names of sources that no error message names.
    pub(crate) fn own_sources(&self) -> anyhow::Result<Vec<(String, String)>> {
        let source = |line: &str| {
            let (path, source) = line.split_once(" = ").with_context(|| line.to_owned())?;
            Ok((path.to_owned(), source.to_owned()))
        };
        self.comment("sources").map(source).collect()
    }

    /// The pages on which it rests: the vendor's, and guides of other products.
    #[cfg(test)]
    pub(crate) fn pages(&self) -> Vec<&'static str> {
        self.comment("pages").collect()
    }
}
