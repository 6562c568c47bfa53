//! The address of a socket: a path, or an abstract name.

use std::fmt;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use descriptor::{Code, Diagnostic};
use endpoint::Missing;
use plan::kind::Args;
use socket2::SockAddr;

/// An address that fits a `sockaddr_un`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Path(PathBuf),
    /// Without its `@`.
    Abstract(String),
}

impl Address {
    /// Reads the parameter of this name.
    pub(super) fn read(args: &Args, name: &str) -> Result<Self, Diagnostic> {
        let text = args.text(name).unwrap_or_default();
        let wrong = |message: String| Err(args.mistake(name, Code::BadValue, message));
        if text.contains('\0') {
            return wrong(format!("`{name}` can't contain a NUL"));
        }
        // sun_path has 108 bytes, one of which is the NUL after a path or before a name.
        let length = text.trim_start_matches('@').len();
        if length > 107 {
            return wrong(format!(
                "`{name}` has {length} bytes, and a socket's path has at most 107"
            ));
        }
        match text.strip_prefix('@') {
            _ if text.is_empty() || text == "@" => wrong(format!("`{name}` is empty")),
            Some(_) if !cfg!(target_os = "linux") => {
                wrong("abstract names (`@name`) exist on Linux only".into())
            }
            Some(name) => Ok(Self::Abstract(name.to_owned())),
            None => Ok(Self::Path(text.into())),
        }
    }

    /// The path, if it has one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Abstract(_) => None,
        }
    }

    /// Describes the file in a listener's way, or the folder that is missing for its socket.
    pub(super) fn in_the_way(&self, name: &'static str) -> Option<Missing> {
        let path = self.path()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        if !folder.exists() {
            let message = format!("there is no folder {}", folder.display());
            return Some(Missing::of(name, message));
        }
        let message = || format!("{} exists, and is not a socket", path.display());
        self.is_other().then(|| Missing::of(name, message()))
    }

    /// Describes the file that is there instead of a socket to connect to. A server may not have started yet.
    pub(super) fn instead(&self, name: &'static str) -> Option<Missing> {
        let message = || format!("{} is not a socket", self.shown().display());
        self.is_other().then(|| Missing::of(name, message()))
    }

    fn is_other(&self) -> bool {
        let found = self.path().and_then(|path| path.metadata().ok());
        found.is_some_and(|found| !found.file_type().is_socket())
    }

    /// Returns the path as typed and logged.
    pub(super) fn shown(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Abstract(name) => format!("@{name}").into(),
        }
    }

    /// For the system.
    pub(super) fn to_socket(&self) -> io::Result<SockAddr> {
        match self {
            Self::Path(path) => SockAddr::unix(path),
            Self::Abstract(name) => SockAddr::unix(format!("\0{name}")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().display().fmt(f)
    }
}
