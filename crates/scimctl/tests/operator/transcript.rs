//! Transcripts of commands in docs/OPERATIONS.md, which tests keep true: a test plays the commands,
//! and compares what they print. Ids, times and the width of columns may differ.

use crate::support::Directory;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/OPERATIONS.md");

/// Runs the commands of the block that follows `<!-- transcript: NAME -->`, and compares what they
/// print. The options that are given here have these values instead of those in the document.
pub(crate) fn play(directory: &Directory, name: &str, options: &[(&str, &str)]) {
    let guide = std::fs::read_to_string(GUIDE).unwrap();
    let marker = format!("<!-- transcript: {name} -->");
    let (_, after) = guide.split_once(&marker).unwrap_or_else(|| panic!("no {marker}"));
    let block = after.split("```").nth(1).unwrap();
    let commands: Vec<&str> = block.split("\n$ scimctl ").skip(1).collect();
    assert!(!commands.is_empty(), "{marker} has no command");
    for command in commands {
        let (line, expected) = command.split_once('\n').unwrap_or((command, ""));
        let mut words = words(line);
        for (option, value) in options {
            if let Some(at) = words.iter().position(|word| word == option) {
                words[at + 1] = (*value).to_owned();
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        compare(expected, &printed(directory, &words), line);
    }
}

/// What a command prints, also if it fails.
fn printed(directory: &Directory, words: &[&str]) -> String {
    let output = directory.run(words);
    let printed = [output.stdout, output.stderr].concat();
    String::from_utf8(printed).unwrap()
}

/// The words of a command; a quoted part is one word.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// A line without times, ids, key ids and the width of columns.
fn masked(line: &str) -> String {
    // A line of `token list` begins with a key id.
    let mut after_key = matches!(line.split_whitespace().nth(1), Some("good" | "expired"));
    let words = line.split_whitespace().map(|word| {
        let plain = word.trim_matches([',', ':', '.', '(', ')']);
        let is_time = plain.len() >= 20 && plain.starts_with("20") && plain.ends_with('Z');
        let is_id = plain.len() == 36 && plain.matches('-').count() == 4;
        let is_key = std::mem::replace(&mut after_key, word.ends_with("key"));
        let mask = if is_time { "TIME" } else { "ID" };
        if is_time || is_id || is_key { word.replace(plain, mask) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Compares what is printed with a transcript, in which `...` stands for any lines.
fn compare(expected: &str, printed: &str, command: &str) {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(masked).filter(|line| !line.is_empty()).collect()
    };
    let (expected, printed) = (lines(expected), lines(printed));
    let (mut rest, mut skips) = (printed.as_slice(), false);
    for line in &expected {
        if line == "..." {
            skips = true;
            continue;
        }
        let at = rest.iter().position(|shown| shown == line);
        let found = at.filter(|at| skips || *at == 0);
        let shown = printed.join("\n");
        let at = found.unwrap_or_else(|| panic!("{command} does not print {line:?}:\n{shown}"));
        (rest, skips) = (&rest[at + 1..], false);
    }
    assert!(rest.is_empty() || skips, "{command} also prints {rest:#?}");
}
