//! The processes that connect to a Unix socket, and whose they may be.

use std::os::fd::AsFd;
use std::path::PathBuf;

use endpoint::Reason;
use endpoint::info::Unix;
use nix::sys::socket::{getsockopt, sockopt};
use plan::kind::{Args, Param, Topic, ValueKind};
use tracing::warn;

pub(crate) const USERS: Param = Param::new(
    "users",
    ValueKind::Choice(&["same", "any"]),
    "The users that may connect (SO_PEERCRED in unix(7)): `same` admits root and the user that endpointforward runs \
     as; `any` admits everyone that the socket's permissions admit. The default is `any` for a path, whose file mode \
     restricts it, and `same` for an abstract name if the destination is, or may be, a program or a device.",
)
.topic(Topic::Access);

/// The users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Users {
    /// Ours, and root's.
    Same,
    Any,
}

impl Users {
    /// Reads the parameter `users`; `None` if it isn't given.
    pub(crate) fn read(args: &Args) -> Option<Self> {
        match args.text("users") {
            Some("same") => Some(Self::Same),
            Some("any") => Some(Self::Any),
            _ => None,
        }
    }

    /// Returns `true` if a process of this user may connect.
    pub(crate) fn include(self, uid: Option<u32>) -> bool {
        let ours = rustix::process::geteuid().as_raw();
        self == Self::Any || uid.is_some_and(|uid| uid == 0 || uid == ours)
    }

    /// Logs that a process, or its datagrams, were refused by a listener.
    pub(crate) fn log_refusal(uid: Option<u32>, what: &str, endpoint: &str) {
        let user =
            uid.map_or_else(|| "an unknown user".to_owned(), |uid| format!("the user {uid}"));
        let cause = format!("{what} of {user}: the destination may be a program or a device");
        let (event, reason) = ("refused", Reason::Forbidden.name());
        let help = "admit all users of this machine with `users=any`";
        warn!(event, endpoint, reason, cause, help, "cannot accept {endpoint}: {cause}");
    }
}

/// Returns the peer of a socket: `SO_PEERCRED` in unix(7), as of the time of connect(2) or listen(2).
pub(crate) fn peer(path: PathBuf, socket: &impl AsFd) -> Unix {
    let peer = getsockopt(socket, sockopt::PeerCredentials).ok();
    // The system gives 0 for a process outside of our PID namespace.
    let pid = peer.map(|peer| peer.pid()).filter(|pid| *pid > 0);
    Unix { path, pid, uid: peer.map(|peer| peer.uid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_users_are_not_ours() {
        let ours = rustix::process::geteuid().as_raw();
        for (uid, may) in
            [(Some(ours), true), (Some(0), true), (Some(ours + 1), false), (None, false)]
        {
            assert_eq!(Users::Same.include(uid), may, "{uid:?}");
            assert!(Users::Any.include(uid));
        }
    }

    #[tokio::test]
    async fn the_peer_of_a_socket_is_a_process() {
        let (ours, _theirs) = tokio::net::UnixStream::pair().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let fact = peer("/run/app.sock".into(), &ours);
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(fact, Unix { path: "/run/app.sock".into(), pid: Some(pid), uid: Some(uid) });
    }
}
