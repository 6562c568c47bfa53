//! UTF-8 that comes in pieces, checked as it comes (§8.1).

/// A UTF-8 check over arbitrary pieces. It fails at the first byte that no continuation could make valid, without
/// waiting for the end of the code point.
///
/// A [`Decoder`](crate::Decoder) has one for the text that it sees. It sees no text in a compressed message: the code
/// that inflates it checks it.
///
/// ```
/// let mut text = websocket::Utf8::default();
/// let euro = "€".as_bytes();
/// assert_eq!(text.push(&euro[..2]), Ok(()));
/// assert!(!text.is_whole(), "a message must not end here");
/// assert_eq!(text.push(&euro[2..]), Ok(()));
/// assert!(text.is_whole(), "here it may, and the next may begin");
/// // U+110000 would be f4 90 80 80: the second byte is the one that nothing can mend.
/// assert_eq!(text.push(b"ab\xf4\x90"), Err(3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Utf8 {
    /// The code point that the last piece ended in.
    cut: [u8; 4],
    /// The number of bytes of it: 3 at most between calls.
    len: u8,
}

impl Utf8 {
    /// Checks the next piece. `Err` contains the number of its bytes that could still have been the start of something
    /// valid; the checker is of no further use then.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while self.len > 0 {
            let Some(&byte) = piece.get(at) else { return Ok(()) };
            self.cut[usize::from(self.len)] = byte;
            self.len += 1;
            match std::str::from_utf8(&self.cut[..usize::from(self.len)]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(at),
            }
            at += 1;
        }
        let rest = &piece[at..];
        let Err(error) = simdutf8::compat::from_utf8(rest) else { return Ok(()) };
        let (valid, bad) = rest.split_at(error.valid_up_to());
        if let Some(len) = error.error_len() {
            // `len` bytes are bad together. A lead byte is right by itself: then it is the byte after them that is not.
            let lead = matches!(bad.first(), Some(0xc2..=0xf4));
            return Err(at + valid.len() + if lead { len } else { 0 });
        }
        self.cut[..bad.len()].copy_from_slice(bad);
        self.len = bad.len() as u8;
        Ok(())
    }

    /// Returns `true` if no code point is cut, so that the text may end here. Then the next text
    /// may begin.
    pub fn is_whole(&self) -> bool {
        self.len == 0
    }
}
