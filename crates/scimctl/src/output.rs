//! What the tool prints: results on standard output, progress on standard error.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use scim_core::value::date_time;
use scim_lambda::operator::Operator;
use serde_json::Value;
use time::OffsetDateTime;

/// The form in which results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines for people.
    Text,
    /// One JSON object for scripts, and nothing else.
    Json,
}

/// Prints a result in one of its two forms.
pub(crate) fn print(format: Format, object: &Value, lines: &str) {
    let written = match format {
        Format::Json => writeln!(std::io::stdout(), "{object}"),
        Format::Text => writeln!(std::io::stdout(), "{lines}"),
    };
    // The reader may have stopped reading, as `head` does.
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("scimctl: the result cannot be written: {error}");
        std::process::exit(1);
    }
}

/// Results that are printed one after the other, until nobody reads them.
#[derive(Debug)]
pub(crate) struct Lines {
    format: Format,
    is_over: bool,
}

impl Lines {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, is_over: false }
    }

    /// Whether the reader has stopped reading, as `head` does.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Prints one of the results in one of its two forms.
    pub(crate) fn print(&mut self, object: &Value, line: &str) -> anyhow::Result<()> {
        match self.format {
            Format::Json => self.text(&object.to_string()),
            Format::Text => self.text(line),
        }
    }

    /// Prints a line.
    pub(crate) fn text(&mut self, line: &str) -> anyhow::Result<()> {
        if self.is_over {
            return Ok(());
        }
        match writeln!(std::io::stdout(), "{line}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => self.is_over = true,
            written => written.context("the result cannot be written")?,
        }
        Ok(())
    }
}

/// Says on standard error which secrets the operator has restored.
pub(crate) fn report_restored(operator: &Operator) {
    for name in operator.restored_secrets() {
        eprintln!("scimctl: the secret {name} was marked for deletion and has been restored");
    }
}

/// A number of things, such as `1 user` or `2 users`.
pub(crate) fn counted(number: impl Into<u64>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

/// A text in which everything that a terminal could act on is escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // `escape_debug` escapes what cannot be printed, such as marks that turn the direction.
        if c.is_control() || (!c.is_ascii() && c.escape_debug().count() > 1) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A time in seconds since 1970, in the form in which SCIM writes it.
pub(crate) fn instant(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map(date_time).unwrap_or_default()
}

/// A time in milliseconds since 1970, to the second.
pub(crate) fn moment(milliseconds: i64) -> String {
    instant(milliseconds.div_euclid(1_000))
}

/// A progress bar on standard error, for people.
pub(crate) fn bar(what: &'static str, length: u64, format: Format) -> ProgressBar {
    let bar = match format {
        Format::Text => ProgressBar::new(length),
        Format::Json => ProgressBar::hidden(),
    };
    let style = ProgressStyle::with_template(
        "{msg:12} {wide_bar} {human_pos}/{human_len} {rate:>9} {eta:>4}",
    );
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{:.0}/s", state.per_sec());
    };
    bar.with_style(style.with_key("rate", rate)).with_message(what)
}

/// Waits while a spinner on standard error says why.
pub(crate) async fn wait(duration: Duration, why: &'static str, format: Format) {
    let spinner = match format {
        Format::Text => ProgressBar::new_spinner(),
        Format::Json => ProgressBar::hidden(),
    };
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner.set_message(why);
    tokio::time::sleep(duration).await;
    spinner.finish_and_clear();
}
