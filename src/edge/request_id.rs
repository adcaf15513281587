//! The id of a request: one name for it in the answer, in the API's access log, in the function's log
//! and in the audit log.

use http::request::Parts;
use http::{HeaderName, Response};
use serde_json::Value;

use super::response;

/// The header of each answer that has the id of its request.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Maximum length of an id, in bytes.
const MAX_BYTES: usize = 128;

/// The id of a request; an extension of the request. It has 1 to 128 letters, digits, `=`, `_` and
/// `-`. The default is a new one, a UUID of version 7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

/// Lambda's id of the invocation that answers the request, if that differs from the id of the
/// request; an extension of the request. Lambda's `REPORT` lines have it.
#[derive(Debug, Clone)]
pub(super) struct Invocation(pub(super) String);

impl Default for RequestId {
    fn default() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }
}

impl RequestId {
    /// An id that the platform gave; `None` if it is not in the form of an id.
    pub fn read(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte);
        let is_id = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(fits);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id of a request, which gets a new one if the platform gave it none.
    pub(super) fn ensure(head: &mut Parts) -> Self {
        head.extensions.get_or_insert_with(Self::default).clone()
    }

    /// The id as logs write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds the id to an answer.
    pub(super) fn stamp<B>(&self, response: Response<B>) -> Response<B> {
        response::with(response, HEADER, &self.0)
    }
}

/// The ids of one invocation of the function.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    /// The id of the request.
    pub(super) request: RequestId,
    /// The id of the invocation, if it is another one.
    pub(super) invocation: Option<Invocation>,
}

impl Ids {
    /// The id that the API gave the request, which its access log prints as `$context.requestId`,
    /// or else Lambda's.
    pub(super) fn of(event: &Value, invocation: &str) -> Self {
        let given = event.pointer("/requestContext/requestId").and_then(Value::as_str);
        let request = given.and_then(RequestId::read).or_else(|| RequestId::read(invocation));
        let request = request.unwrap_or_default();
        let differs = request.as_str() != invocation && RequestId::read(invocation).is_some();
        Self { invocation: differs.then(|| Invocation(invocation.to_owned())), request }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_that_is_not_plain_text_is_replaced() {
        let ids = |id: &str| Ids::of(&json!({ "requestContext": { "requestId": id } }), "lambda-1");
        for good in ["JKJaXmPLvHcESHA=", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", &"a".repeat(128)] {
            let ids = ids(good);
            assert_eq!(ids.request.as_str(), good);
            assert_eq!(ids.invocation.map(|Invocation(id)| id).as_deref(), Some("lambda-1"));
        }
        for odd in ["", "a b", "a\nb", "a\"b", "\u{e9}", &"a".repeat(129)] {
            let ids = ids(odd);
            assert_eq!((ids.request.as_str(), ids.invocation.is_some()), ("lambda-1", false));
        }
        assert_eq!(Ids::of(&json!({}), "").request.as_str().len(), 36);
    }
}
