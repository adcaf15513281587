//! The size of an answer as it is sent. Lambda sends a body as a JSON string, in which each quote
//! and each backslash of the body takes one more byte.

/// How many bytes a JSON text takes as it is sent.
pub(super) fn sent_bytes(json: &[u8]) -> usize {
    json.len() + json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// How many bytes a text takes in a JSON text as it is sent, quotes included.
pub(super) fn sent_text_bytes(text: &str) -> usize {
    let each = text.bytes().map(|byte| match byte {
        // \" and \\, each character of which is escaped again.
        b'"' | b'\\' => 4,
        // \n, whose backslash is escaped again.
        0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 3,
        // \u0001
        0x00..=0x1f => 7,
        _ => 1,
    });
    each.sum::<usize>() + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_as_it_is_escaped_twice() {
        for text in [
            "",
            "plain",
            "a\"b\\c",
            "line\nbreak\ttab\r\u{8}\u{c}",
            "\u{1}\u{1f}",
            "\u{7f}\u{e9}\u{1f600}",
        ] {
            let once = serde_json::to_string(text).unwrap();
            let twice = serde_json::to_string(&once).unwrap();
            let sent = twice.len() - 2;
            assert_eq!(
                (sent_text_bytes(text), sent_bytes(once.as_bytes())),
                (sent, sent),
                "{text:?}"
            );
        }
    }
}
