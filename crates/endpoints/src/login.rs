//! Our credentials for a proxy: a name, and a password that is best kept in a file.

use std::fmt;
use std::path::{Path, PathBuf};

use descriptor::{Code, Diagnostic};
use endpoint::{Error, Missing, Result};
use plan::kind::{Args, Param, ValueKind};

pub(crate) const USER: Param =
    Param::new("user", ValueKind::Text, "The user name, if the proxy requires one.");

pub(crate) const PASSWORD: Param = Param::new(
    "password",
    ValueKind::Text,
    "The password. Other users of this machine can read it in the process list; prefer `password-file`.",
)
.secret();

pub(crate) const PASSWORD_FILE: Param = Param::new(
    "password-file",
    ValueKind::Text,
    "The file whose first line is the password. It is read whenever a connection is opened.",
);

/// A name and how to get its password.
#[derive(Clone)]
pub(crate) struct Login {
    user: String,
    password: Password,
}

#[derive(Clone)]
enum Password {
    Is(String),
    In(PathBuf),
}

impl Login {
    /// Reads the three parameters; `None` if there is no name.
    pub(crate) fn read(args: &Args) -> std::result::Result<Option<Self>, Diagnostic> {
        let given = |name: &str| args.text(name).filter(|text| !text.is_empty());
        let (user, password, file) = (given("user"), given("password"), given("password-file"));
        let name = if file.is_some() { "password-file" } else { "password" };
        if user.is_none() && (password.is_some() || file.is_some()) {
            return Err(args.mistake(
                name,
                Code::MissingParameter,
                format!("`{name}` needs `user`"),
            ));
        }
        let password = match (password, file) {
            (Some(_), Some(_)) => {
                let message = "`password` and `password-file` exclude each other";
                return Err(args.mistake(name, Code::BadValue, message));
            }
            (_, Some(file)) => Password::In(file.into()),
            (password, None) => Password::Is(password.unwrap_or_default().to_owned()),
        };
        Ok(user.map(|user| Self { user: user.to_owned(), password }))
    }

    /// Returns the name.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Returns the file if it doesn't exist.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        match &self.password {
            Password::Is(_) => Vec::new(),
            Password::In(file) => absent(file).into_iter().collect(),
        }
    }

    /// Returns the password. `label` is the endpoint's, for errors.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) async fn password(&self, label: &str) -> Result<String> {
        match &self.password {
            Password::Is(password) => Ok(password.clone()),
            Password::In(file) => {
                let text = tokio::fs::read_to_string(file).await.map_err(|cause| {
                    let file = file.display();
                    Error::from_io("connect", label, cause)
                        .with_hint(format!("cannot read the password from `{file}`"))
                })?;
                Ok(text.lines().next().unwrap_or_default().to_owned())
            }
        }
    }
}

/// Returns the file with the password, the parameter [`PASSWORD_FILE`], if it doesn't exist.
pub(crate) fn absent(file: &Path) -> Option<Missing> {
    let message = || format!("there is no file {} with the password", file.display());
    (!file.exists()).then(|| Missing::of(PASSWORD_FILE.name, message()))
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}
