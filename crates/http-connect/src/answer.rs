//! A proxy's answer.

use crate::{Error, FIELDS, MOST, Read};

/// The head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The type of the body, in lower case, such as `text/plain; charset=utf-8`.
    pub content_type: String,
    /// The length of the body, if it is given and the status isn't 2xx, which has none.
    pub length: Option<usize>,
    /// The authentication schemes of `Proxy-Authenticate`.
    pub schemes: Vec<String>,
}

impl Answer {
    /// Parses it from the start of `bytes`.
    ///
    /// # Errors
    /// It is no HTTP/1, whatever follows.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let status = response.parse(bytes).map_err(Error::of)?;
        let length = match status {
            httparse::Status::Complete(length) if length <= MOST => length,
            httparse::Status::Partial if bytes.len() < MOST => return Ok(Read::More),
            _ => return Err(Error::too_large()),
        };
        let mut answer = Self {
            status: response.code.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for field in response.headers.iter() {
            let value = String::from_utf8_lossy(field.value);
            if field.name.eq_ignore_ascii_case("content-type") {
                answer.content_type = value.to_ascii_lowercase();
            } else if field.name.eq_ignore_ascii_case("content-length") {
                answer.length = value.trim().parse().ok();
            } else if field.name.eq_ignore_ascii_case("proxy-authenticate") {
                answer.schemes.extend(value.split_whitespace().next().map(str::to_owned));
            }
        }
        Ok(Read::Head(answer, length))
    }

    /// Returns `true` if the tunnel is established.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns `true` if another response follows (RFC 9110 section 15.2).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// Returns the human-readable part of a body, as far as it has arrived: its first line, or the title of a page.
    #[must_use]
    pub fn words_of(&self, body: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(body);
        let words = if self.content_type.contains("html") {
            let lower = text.to_ascii_lowercase();
            let tag = |name: &str| {
                let start = lower.find(&format!("<{name}"))?;
                let start = start + lower[start..].find('>')? + 1;
                let end = start + lower[start..].find("</")?;
                Some(text[start..end].split_whitespace().collect::<Vec<_>>().join(" "))
            };
            // A title may be the status alone; tinyproxy and squid have the reason in the first heading.
            ["h1", "h2", "title"].into_iter().find_map(tag)?
        } else {
            text.lines().map(str::trim).find(|line| !line.is_empty())?.to_owned()
        };
        let shown: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
        (!shown.is_empty()).then_some(shown)
    }
}
