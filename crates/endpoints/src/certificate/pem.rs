//! Certificates and revocation lists from files.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use endpoint::{Error, ErrorKind, describe};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

/// Reads files for one endpoint, which errors are about. Blocks on them.
#[derive(Clone, Copy)]
pub(crate) struct Pem<'a>(pub(crate) &'a str);

impl Pem<'_> {
    pub(crate) fn certificates(self, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match found {
            Ok(certs) if certs.is_empty() => {
                Err(self.error(path, "it contains no certificate (PEM)"))
            }
            Ok(certs) => Ok(certs),
            Err(error) => Err(self.locked(path).unwrap_or_else(|| self.unreadable(path, &error))),
        }
    }

    /// The error of a file whose key has a password or another form than PEM, with the command that changes that.
    pub(crate) fn locked(self, path: &Path) -> Option<Error> {
        let text = fs::read(path).ok()?;
        let has = |words: &str| text.windows(words.len()).any(|at| at == words.as_bytes());
        let shown = path.display();
        // RFC 7468 section 11, and RFC 1421 section 4.6.1.1 for traditional keys.
        if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED") {
            let words = format!(
                "the key is encrypted; decrypt it with `openssl pkey -in {shown} -out plain.key`, and set \
                 `key=plain.key`"
            );
            return Some(self.error(path, &words));
        }
        has("-----BEGIN OPENSSH PRIVATE KEY-----").then(|| {
            let words = format!(
                "it is a key of OpenSSH; convert a copy of it with `ssh-keygen -p -m PKCS8 -f {shown}`"
            );
            self.error(path, &words)
        })
    }

    /// The authorities in a file, or in the `.pem` files of a folder.
    pub(crate) fn roots(self, path: &Path) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        let mut certs = Vec::new();
        if path.is_dir() {
            let entries =
                fs::read_dir(path).map_err(|error| self.error(path, &describe(&error)))?;
            let files = entries.flatten().map(|entry| entry.path());
            for file in files.filter(|file| file.extension().is_some_and(|end| end == "pem")) {
                certs.extend(self.certificates(&file)?);
            }
            if certs.is_empty() {
                return Err(self.error(path, "there is no .pem file in this folder"));
            }
        } else {
            certs = self.certificates(path)?;
        }
        for cert in certs {
            roots.add(cert).map_err(|error| {
                self.error(
                    path,
                    &format!("it contains a certificate that can't be an authority: {error}"),
                )
            })?;
        }
        Ok(roots)
    }

    pub(crate) fn revoked(
        self,
        path: &Path,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
        let found = CertificateRevocationListDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match found {
            Ok(lists) if lists.is_empty() => {
                Err(self.error(path, "it contains no revocation list (PEM)"))
            }
            Ok(lists) => Ok(lists),
            Err(error) => Err(self.unreadable(path, &error)),
        }
    }

    pub(crate) fn unreadable(self, path: &Path, error: &rustls::pki_types::pem::Error) -> Error {
        match error {
            rustls::pki_types::pem::Error::Io(error) => self.error(path, &describe(error)),
            rustls::pki_types::pem::Error::MissingSectionEnd { .. } => {
                self.error(path, "it is cut off: a line `-----END …-----` is missing")
            }
            error => self.error(path, &format!("it is not PEM: {error}")),
        }
    }

    pub(crate) fn error(self, path: &Path, words: &str) -> Error {
        Error::new(ErrorKind::Other, "open", self.0, format!("{}: {words}", path.display()))
    }
}

/// The stamp that shows if a file has been replaced, links followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<Option<[i64; 4]>>);

impl Stamp {
    /// Returns the stamp of files; for a folder, its contents count.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let one = |path: PathBuf| -> io::Result<[i64; 4]> {
            let file = fs::metadata(path)?;
            Ok([number(file.ino()), number(file.len()), file.mtime(), file.mtime_nsec()])
        };
        Self(paths.into_iter().flat_map(inside).map(|path| one(path).ok()).collect())
    }
}

/// A folder is what is in it.
fn inside(path: PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(&path) else { return vec![path] };
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .flat_map(|path| [path.join("fullchain.pem"), path.join("privkey.pem"), path])
        .collect();
    files.sort();
    files
}
