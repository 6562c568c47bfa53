//! The exposure of listeners, what access to a destination exposes, and the permitted combinations.

/// The exposure of a listener: the clients that can reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// Only holders of our descriptors, or of a path in the file system.
    Local,
    /// Every program on this machine, web pages in its browsers included.
    Loopback,
    /// Other machines.
    Public,
}

impl Exposure {
    /// Returns `true` if clients of such a listener may reach a destination that exposes this without a stated
    /// `auth`.
    #[must_use]
    pub fn allows(self, grants: Grants) -> bool {
        self < Self::Public || grants <= Grants::Service
    }
}

/// Resources that access to a destination exposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grants {
    /// Nothing outside this process: an echo.
    Nothing,
    /// Another service, with its own access control.
    Service,
    /// Any destination that a client names, within an allow-list: a proxy.
    Network,
    /// A file of our user.
    File,
    /// A device of this machine.
    Device,
    /// A program that runs as our user.
    Program,
}

impl Grants {
    /// Returns `true` if the destination has no access control: a program, a device or a file takes whatever it is
    /// sent.
    #[must_use]
    pub fn is_unguarded(self) -> bool {
        self >= Self::File
    }
}

/// Returns the error message about a destination that [`Exposure::allows`] refuses.
#[must_use]
pub fn exposed(grants: Grants, destination: &str) -> String {
    let what = match grants {
        Grants::Network => "any destination that they name, through your proxy",
        Grants::Program => "a program that runs as your user",
        Grants::File => "a file of your user",
        _ => "a device of this machine",
    };
    format!("other machines could reach {what}, `{destination}`, without authentication")
}

/// The hint about a destination that [`Exposure::allows`] refuses.
pub const HOW_TO_ALLOW: &str =
    "listen on loopback (`interface=127.0.0.1`), or allow everyone with `auth=none`";
