//! The file of a private key, looked at before `ssh` does: `ssh` tells little about a key that it doesn't use.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use endpoint::{Error, ErrorKind, Result};

/// # Errors
/// The file can't be read, others can read it as well, or it is encrypted.
pub(super) async fn check(file: &Path, label: &str) -> Result<()> {
    let shown = file.display();
    let unreadable = |cause: io::Error| {
        Error::from_io("connect", label, cause).with_hint(format!("the key is to be in `{shown}`"))
    };
    let metadata = tokio::fs::metadata(file).await.map_err(unreadable)?;
    if !metadata.is_file() {
        let words = format!("the key `{shown}` is not a file");
        return Err(Error::new(ErrorKind::Other, "connect", label, words));
    }
    // As ssh has it, which minds its own user's files only.
    let is_ours = metadata.uid() == rustix::process::getuid().as_raw();
    if is_ours && metadata.mode() & 0o077 != 0 {
        let words =
            format!("users other than its owner can read the key `{shown}`, so ssh doesn't use it");
        let error = Error::new(ErrorKind::Permission, "connect", label, words);
        return Err(error.with_hint(format!("restrict it with `chmod 600 {shown}`")));
    }
    let bytes = tokio::fs::read(file).await.map_err(unreadable)?;
    if is_encrypted(&String::from_utf8_lossy(&bytes)) {
        let words = format!("the key `{shown}` is encrypted, and its passphrase can't be entered");
        let error = Error::new(ErrorKind::Permission, "connect", label, words);
        return Err(error.with_hint(format!(
            "add it to the agent with `ssh-add {shown}` and set `key=agent`, or remove the passphrase with `ssh-keygen \
             -p -f {shown}`"
        )));
    }
    Ok(())
}

/// Returns `true` if a private key has a passphrase: PKCS #8, PEM (RFC 1421), or OpenSSH's PROTOCOL.key.
fn is_encrypted(text: &str) -> bool {
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return true;
    }
    let Some((_, rest)) = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----") else {
        return false;
    };
    let body: String = rest.split("-----").next().unwrap_or_default().split_whitespace().collect();
    // The first bytes name the cipher; 64 characters are 48 of them.
    let head = body.get(..64).unwrap_or(&body);
    let Ok(bytes) = BASE64_STANDARD.decode(head) else { return false };
    let cipher = bytes.strip_prefix(b"openssh-key-v1\0");
    cipher.is_some_and(|cipher| !cipher.starts_with(b"\0\0\0\x04none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_key_is_known_by_its_head() {
        let openssh =
            |body: &str| format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END…");
        let plain =
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQ==";
        let locked =
            "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBx3bJv2+\nQyNTUxOQ==";
        assert!(!is_encrypted(&openssh(plain)));
        assert!(is_encrypted(&openssh(locked)));
        assert!(is_encrypted("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        assert!(is_encrypted("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"));
        assert!(!is_encrypted("-----BEGIN RSA PRIVATE KEY-----\nMII"));
        assert!(!is_encrypted(&openssh("é")));
    }
}
