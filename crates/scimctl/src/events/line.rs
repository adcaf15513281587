//! An event as a line for people.

use serde_json::Value;

/// Time, type, tenant, subject, cause and actor of an event.
pub(super) fn of(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let tenant = text("/tenant/name").or_else(|| text("/tenant/code")).unwrap_or("-");
    let names = ["/subject/userName", "/subject/displayName", "/data/displayName", "/subject/id"];
    let subject = names.into_iter().find_map(text).unwrap_or("-");
    let mut line = format!(
        "{}  {:<22}  {tenant}  {subject}",
        text("/time").unwrap_or("-"),
        text("/type").unwrap_or("-")
    );
    if let Some(cause) = text("/cause") {
        line += &format!("  ({cause})");
    }
    if let Some(kind) = text("/actor/kind") {
        line += &format!("  by {kind}");
        line.extend(text("/actor/id").into_iter().flat_map(|id| [" ", id]));
    }
    // A name must not move the cursor of the terminal.
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_names_what_the_event_names() {
        let event = json!({
            "time": "2026-11-30T07:00:00Z", "type": "user.suspended",
            "tenant": { "code": "abcd1234", "name": "acme" }, "cause": "active_false",
            "actor": { "kind": "token", "id": "k7f2" },
            "subject": { "id": "1", "userName": "a\u{1b}[2J@example.com" },
        });
        let line = "2026-11-30T07:00:00Z  user.suspended          acme  \
                    a\u{fffd}[2J@example.com  (active_false)  by token k7f2";
        assert_eq!(of(&event), line);
        let bare = json!({ "type": "user.purged", "tenant": { "code": "abcd1234" }, "actor": null,
            "subject": { "id": "1" } });
        assert_eq!(of(&bare), "-  user.purged             abcd1234  1");
    }
}
