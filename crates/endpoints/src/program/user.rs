//! The user of a program: `user=`, `group=`, and `users=` if the client's name selects it.

use std::ffi::{CString, OsString};

use confine::Account;
use descriptor::{Code, Diagnostic, Template};
use endpoint::{ErrorKind, Info};
use nix::unistd::{Group, Uid, User};
use plan::kind::{Args, Param, Topic, ValueKind};
use rustix::process::geteuid;

pub(crate) const USER: Param = Param::new(
    "user",
    ValueKind::Text,
    "The user to run the program as, by name or number. The user's groups, HOME, USER, LOGNAME and SHELL are set. \
     Requires root. `${auth.user}` is the user that `auth` has admitted, who must be listed in `users`.",
)
.topic(Topic::Access)
.fillable();

pub(crate) const GROUP: Param = Param::new(
    "group",
    ValueKind::Text,
    "The group to run the program as, by name or number. The default is the user's primary group. Requires `user`.",
)
.topic(Topic::Access)
.no_holes(&super::params::NO_HOLES);

pub(crate) const USERS: Param = Param::new(
    "users",
    ValueKind::List,
    "The users that the program may run as, required if `user` contains facts.",
)
.topic(Topic::Access);

/// The user and group of a program, planned.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    user: Name,
    group: Option<String>,
}

#[derive(Clone, Debug)]
enum Name {
    Known(String),
    OneOf(Template, Vec<String>),
}

/// A user of this machine, and the facts about it for an environment.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) account: Account,
    pub(crate) variables: Vec<(OsString, OsString)>,
}

impl Owner {
    /// Parses [`USER`], [`GROUP`] and [`USERS`]; `None` if the program is ours.
    pub(crate) fn read(args: &Args, found: &mut Vec<Diagnostic>) -> Option<Self> {
        let group = args.text("group").map(str::to_owned);
        let users = args.list("users");
        if !args.is_given("user") {
            for name in ["group", "users"].into_iter().filter(|name| args.is_given(name)) {
                let message = format!("`{name}` needs `user`");
                found.push(args.mistake(name, Code::MissingParameter, message));
            }
            return None;
        }
        let user = match args.filled("user") {
            Some(_) if users.is_empty() => {
                let message = "a `user` with facts requires a list of the permitted users";
                let help = "give `users=NAME,…`";
                found.push(args.mistake("user", Code::MissingParameter, message).help(help));
                return None;
            }
            Some(template) => Name::OneOf(template.clone(), users.to_vec()),
            None => {
                if args.is_given("users") {
                    let message = "`users` has no effect: `user` contains no facts";
                    found.push(args.mistake("users", Code::BadValue, message));
                }
                Name::Known(args.text("user").unwrap_or_default().to_owned())
            }
        };
        if cfg!(not(target_os = "linux")) {
            let message = "`user` is only built for Linux";
            found.push(args.mistake("user", Code::BadValue, message));
        }
        Some(Self { user, group })
    }

    /// Returns the reason why no program can be started, as far as it can be known.
    pub(crate) fn forbidden() -> Option<String> {
        (!geteuid().is_root()).then(|| {
            format!(
                "only root may start programs as another `user`, and endpointforward runs as {}",
                geteuid().as_raw()
            )
        })
    }

    /// Looks the user up, which may take time where a directory service is asked: not for a thread of the runtime.
    ///
    /// # Errors
    /// In words: a fact is missing, there is no such user, or it may not be this one.
    pub(crate) fn find(&self, info: &Info) -> Result<Found, (ErrorKind, String)> {
        if let Some(forbidden) = Self::forbidden() {
            return Err((ErrorKind::Permission, forbidden));
        }
        let absent = |words: String| (ErrorKind::NotFound, words);
        let name = match &self.user {
            Name::Known(name) => name.clone(),
            Name::OneOf(template, users) => {
                let name = template.fill(&|root, name| info.lookup(root, name));
                let name = name.map_err(|missing| (ErrorKind::Forbidden, missing.to_string()))?;
                if !users.contains(&name) {
                    let words = "the client's user isn't listed in `users`".to_owned();
                    return Err((ErrorKind::Forbidden, words));
                }
                name
            }
        };
        let of_number = || name.parse().ok().map(|uid| User::from_uid(Uid::from_raw(uid)));
        let known = User::from_name(&name).ok().flatten();
        let known = known.or_else(|| of_number()?.ok().flatten());
        let Some(user) = known else { return Err(absent(format!("there is no user `{name}`"))) };
        let gid = match &self.group {
            None => user.gid,
            Some(name) => {
                let known = Group::from_name(name).ok().flatten().map(|group| group.gid);
                let number = || name.parse().ok().map(nix::unistd::Gid::from_raw);
                known
                    .or_else(number)
                    .ok_or_else(|| absent(format!("there is no group `{name}`")))?
            }
        };
        let groups =
            CString::new(&*user.name).map_err(|_| absent("its name has a NUL".to_owned()))?;
        let groups = supplementary(&groups, gid).map_err(absent)?;
        let account = Account { uid: user.uid.as_raw(), gid: gid.as_raw(), groups };
        let variables = vec![
            ("HOME".into(), user.dir.into_os_string()),
            ("LOGNAME".into(), OsString::from(&user.name)),
            ("SHELL".into(), user.shell.into_os_string()),
            ("USER".into(), OsString::from(user.name)),
        ];
        Ok(Found { account, variables })
    }
}

#[cfg(target_os = "linux")]
fn supplementary(user: &std::ffi::CStr, gid: nix::unistd::Gid) -> Result<Vec<u32>, String> {
    let groups = nix::unistd::getgrouplist(user, gid);
    let groups = groups.map_err(|error| format!("the user's groups are not known: {error}"))?;
    Ok(groups.into_iter().map(nix::unistd::Gid::as_raw).collect())
}

#[cfg(not(target_os = "linux"))]
fn supplementary(_: &std::ffi::CStr, _: nix::unistd::Gid) -> Result<Vec<u32>, String> {
    Ok(Vec::new())
}
