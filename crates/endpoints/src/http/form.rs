//! The body of a form that a browser sends without a script: `application/x-www-form-urlencoded`, short.
//!
//! Nothing else that a listener answers has a body. Another one is not read.

use std::borrow::Cow;

use http_body_util::{BodyExt, Limited};
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use percent_encoding::percent_decode_str;

/// Fields, in their order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body, if it is one of these; `None` if it isn't, or can't be read.
    pub(super) async fn read(body: Incoming) -> Option<Self> {
        let bytes = Limited::new(body, LONGEST).collect().await.ok()?.to_bytes();
        Some(Self::parse(std::str::from_utf8(&bytes).ok()?))
    }

    /// Returns whether a request has a form that is short enough to be read.
    pub(super) fn is_in(method: &Method, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let media =
            text(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
        let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        method == Method::POST
            && media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
            && length.is_some_and(|length| length <= LONGEST)
    }

    fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        Self(fields.collect())
    }

    /// Returns a field's value, if there is exactly one of its name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// Returns a name or a value of a form, or of a query, without its encoding; `None` if it isn't UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

/// The maximum size of a body. A name and a password are far shorter.
const LONGEST: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn fields_are_decoded_and_two_of_one_name_are_none() {
        let form =
            Form::parse("username=ada+l%c3%b6v&password=%26%3d+&twice=1&twice=2&bad=%ff&flag");
        assert_eq!(form.field("username"), Some("ada löv"));
        assert_eq!(form.field("password"), Some("&= "));
        assert_eq!([form.field("twice"), form.field("bad"), form.field("none")], [None; 3]);
        assert_eq!(form.field("flag"), Some(""));
    }

    #[test]
    fn only_short_forms_are_read() {
        let is = |method, media: &str, length: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(media).expect("a value"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from_str(length).expect("a value"));
            Form::is_in(&method, &headers)
        };
        let form = "application/x-www-form-urlencoded";
        assert!(is(Method::POST, &format!("{form}; charset=UTF-8"), "100"));
        assert!(!is(Method::GET, form, "100"));
        assert!(!is(Method::POST, "text/plain", "100"));
        assert!(!is(Method::POST, form, "8193"));
        assert!(!is(Method::POST, form, "-1"));
    }
}
