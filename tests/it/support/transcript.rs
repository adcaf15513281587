//! Transcripts of identity providers as `tests/transcripts/README.md` describes them.

use serde_json::Value;

use super::documents;

/// The requests of one client, and what it expects of their answers.
pub struct Transcript {
    pub profile: String,
    pub dialect: Option<String>,
    pub scenarios: Vec<Scenario>,
}

/// A run of exchanges that begins with an empty tenant.
pub struct Scenario {
    pub title: String,
    pub exchanges: Vec<Exchange>,
}

#[derive(Default)]
pub struct Exchange {
    pub step: String,
    pub method: String,
    /// The path and the query, exactly as the client sends them.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub expected: Expected,
}

/// What an answer must be. An empty body satisfies everything that is said about bodies.
#[derive(Default)]
pub struct Expected {
    pub statuses: Vec<u16>,
    /// Headers, and a text that each of them contains, without regard to case.
    pub headers: Vec<(String, String)>,
    /// A document that the body contains.
    pub body: Option<String>,
    /// JSON pointers to places without a value.
    pub absent: Vec<String>,
    /// JSON pointers to arrays, and their lengths.
    pub lengths: Vec<(String, usize)>,
    /// Names, and JSON pointers to the values that later exchanges put in the place of `{{name}}`.
    pub captures: Vec<(String, String)>,
}

impl Transcript {
    /// Reads a file of `tests/transcripts`.
    pub fn read(name: &str) -> Self {
        let text = documents::read(&format!("tests/transcripts/{name}.txt"));
        let mut transcript =
            Self { profile: "default".into(), dialect: None, scenarios: Vec::new() };
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let mut rest = lines.as_slice();
        while let Some((line, after)) = rest.split_first() {
            let block = after.iter().take_while(|line| line.starts_with("  ")).count();
            let indented = (block > 0).then(|| after[..block].join("\n"));
            transcript.line(line, indented);
            rest = &after[block..];
        }
        transcript
    }

    /// Takes in a line, and the indented lines below it.
    fn line(&mut self, line: &str, indented: Option<String>) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "profile" => self.profile = rest.to_owned(),
            "dialect" => self.dialect = Some(rest.to_owned()),
            "==" => self.scenarios.push(Scenario { title: rest.to_owned(), exchanges: Vec::new() }),
            "--" => {
                let exchange = Exchange { step: rest.to_owned(), ..Exchange::default() };
                self.scenarios.last_mut().expect("a scenario").exchanges.push(exchange);
            }
            _ => {
                let scenario = self.scenarios.last_mut().expect("a scenario");
                scenario.exchanges.last_mut().expect("an exchange").line(word, rest, indented);
            }
        }
    }
}

impl Exchange {
    fn line(&mut self, word: &str, rest: &str, indented: Option<String>) {
        if self.expected.statuses.is_empty() && word != "=>" {
            match word.strip_suffix(':') {
                Some(name) => self.headers.push((name.to_owned(), rest.to_owned())),
                None => (self.method, self.target) = (word.to_owned(), rest.to_owned()),
            }
            self.body = self.body.take().or(indented);
            return;
        }
        let pair = || {
            let (name, value) = rest.split_once(' ').unwrap_or_else(|| panic!("{word} {rest}"));
            (name.to_owned(), value.to_owned())
        };
        let expected = &mut self.expected;
        match word {
            "=>" => {
                expected.statuses = rest.split(' ').map(|status| status.parse().unwrap()).collect();
            }
            "header" => expected.headers.push(pair()),
            // A debug build on a busy machine says nothing about time.
            "within" => {}
            "body" => expected.body = indented,
            "absent" => expected.absent.push(rest.to_owned()),
            "length" => {
                let (pointer, length) = pair();
                expected.lengths.push((pointer, length.parse().unwrap()));
            }
            "capture" => expected.captures.push(pair()),
            _ => panic!("{}: {word} is not understood", self.step),
        }
    }
}

/// Whether a document contains another one. Each element of an expected array matches some element,
/// `"<any>"` matches everything but null, and types are equal.
pub fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (found, Value::String(any)) if any == "<any>" => !found.is_null(),
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|found| contains(found, value))),
        (Value::Array(found), Value::Array(expected)) if !expected.is_empty() => {
            expected.iter().all(|value| found.iter().any(|found| contains(found, value)))
        }
        _ => found == expected,
    }
}
