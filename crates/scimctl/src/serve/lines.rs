//! The line that `serve` prints for each request.

use std::io::{IsTerminal as _, Write as _};

use scim_core::value::date_time;
use scim_lambda::edge::RequestLine;
use scim_lambda::reason::Reason;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::output::{Format, visible};

/// The width of the column of a tenant's name.
const TENANT: usize = 12;
/// The width of the column of a path: that of a user.
const PATH: usize = 51;

/// Where the line of each request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestLog {
    /// To standard output, for a person.
    Text {
        /// Whether the status has a colour.
        colour: bool,
    },
    /// To standard error as JSON, for a caller that reads JSON on standard output.
    Json,
    /// Nowhere.
    Quiet,
}

impl RequestLog {
    /// Standard output, unless a caller reads JSON there. Colours are for terminals, and for people
    /// who have not set `NO_COLOR`.
    pub(super) fn of(format: Format, quiet: bool) -> Self {
        match format {
            _ if quiet => Self::Quiet,
            Format::Json => Self::Json,
            Format::Text => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                Self::Text { colour: !refused && std::io::stdout().is_terminal() }
            }
        }
    }

    /// Prints the line of a request to this path. The reader of the lines may be gone; the request
    /// is answered all the same.
    pub(super) fn print(self, path: &str, line: &RequestLine) {
        let now = OffsetDateTime::now_utc();
        let _ = match self {
            Self::Text { colour } => {
                writeln!(std::io::stdout(), "{}", text(path, line, now, colour))
            }
            Self::Json => writeln!(std::io::stderr(), "{}", object(path, line, now)),
            Self::Quiet => Ok(()),
        };
    }
}

fn text(path: &str, line: &RequestLine, now: OffsetDateTime, colour: bool) -> String {
    let (hour, minute, second) = now.to_hms();
    let tenant = line.tenant_name.as_deref().unwrap_or("-");
    let tenant = visible(tenant);
    let (method, calls) = (&line.method, line.tally.calls);
    let status = status(line.status, colour);
    let request = format!(
        "{hour:02}:{minute:02}:{second:02}  {tenant:TENANT$}  {status}  {method:6} {path:PATH$}  \
         calls: {calls}",
        method = method.as_str(),
    );
    match (line.reason, &line.detail) {
        (Some(reason), Some(detail)) => {
            // Below the status.
            let indent = " ".repeat(8 + 2 + TENANT + 2);
            format!("{request}\n{indent}{}: {}", reason.code(), visible(detail))
        }
        _ => request,
    }
}

/// A status in its colour: green, yellow for an error of the client, red for one of the service.
fn status(status: u16, colour: bool) -> String {
    let code = match status {
        _ if !colour => return status.to_string(),
        0..400 => 32,
        400..500 => 33,
        _ => 31,
    };
    format!("\u{1b}[{code}m{status}\u{1b}[0m")
}

fn object(path: &str, line: &RequestLine, now: OffsetDateTime) -> Value {
    json!({
        "time": date_time(now), "request": line.request, "tenant": line.tenant_name,
        "key": line.key, "method": line.method.as_str(), "path": path, "status": line.status,
        "scimType": line.scim_type, "reason": line.reason.map(Reason::code),
        "detail": line.detail, "milliseconds": line.milliseconds, "calls": line.tally.calls,
    })
}

#[cfg(test)]
mod tests {
    use scim_lambda::telemetry::Tally;

    use super::*;

    fn line(status: u16, reason: Option<Reason>) -> RequestLine {
        RequestLine {
            request: "r".to_owned(),
            invocation: None,
            tenant: Some("abcd1234".to_owned()),
            tenant_name: Some("acme".to_owned()),
            key: Some("k1k1".to_owned()),
            method: http::Method::PATCH,
            route: "/Users/{id}".to_owned(),
            status,
            scim_type: None,
            reason,
            detail: reason.map(|_| "role must be one of: owner, guest.".to_owned()),
            milliseconds: 3,
            tally: Tally { calls: 2, ..Tally::default() },
            ignored: None,
            cold_start: false,
            operations: None,
            failed_operations: None,
        }
    }

    const USER: &str = "/scim/v2/Users/3479782b-31ad-8de4-bc94-4d327cdaaa24";

    #[test]
    fn the_columns_of_lines_are_aligned_and_fit_a_terminal() {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(3 * 3_600 + 725);
        let good = text(USER, &line(200, None), at, false);
        let short = text("/scim/v2/Users", &line(200, None), at, false);
        assert_eq!(good, format!("03:12:05  acme          200  PATCH  {USER}  calls: 2"));
        assert_eq!(short.find("calls"), good.find("calls"));
        let refused = text(USER, &line(400, Some(Reason::ValueNotAllowed)), at, false);
        assert_eq!(
            refused,
            format!(
                "03:12:05  acme          400  PATCH  {USER}  calls: 2\n                        \
                 value-not-allowed: role must be one of: owner, guest."
            )
        );
        assert!(refused.lines().all(|line| line.len() <= 100), "{refused}");
    }

    #[test]
    fn only_a_terminal_sees_colours() {
        assert_eq!([200, 404, 503].map(|code| status(code, false)), ["200", "404", "503"]);
        let coloured = [200, 404, 503].map(|code| status(code, true));
        assert_eq!(
            coloured,
            ["\u{1b}[32m200\u{1b}[0m", "\u{1b}[33m404\u{1b}[0m", "\u{1b}[31m503\u{1b}[0m"]
        );
    }
}
