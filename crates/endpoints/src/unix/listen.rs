//! Listening.

use std::os::fd::OwnedFd;

use async_trait::async_trait;
use endpoint::{Accept, Context, Error, Exposure, Incoming, Info, Listener, Local, Offer, Result};
use plan::kind::{Args, Planned};
use socket2::Type;
use tokio::net::UnixListener;
use tracing::warn;

use super::Address;
use super::connect::fact;
use super::place::{File, Place};
use crate::arrived::Arrived;

#[derive(Debug)]
struct Listen {
    place: Place,
    users: Option<Users>,
    backlog: i32,
}

/// Whose processes may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Users {
    /// Ours, and root's.
    Same,
    Any,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let place = Place::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Listen { place, users: Users::read(args), backlog: backlog(args) }))
}

pub(super) fn backlog(args: &Args) -> i32 {
    let backlog = args.int("backlog").and_then(|backlog| i32::try_from(backlog).ok());
    backlog.expect("`backlog` has a default and is at most 65535")
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let guards = cx.behind().is_unguarded();
        let (socket, file) = self.place.bind(Type::STREAM, guards)?;
        let listening = socket
            .listen(self.backlog)
            .and_then(|()| UnixListener::from_std(OwnedFd::from(socket).into()));
        Ok(Box::new(Accepting {
            users: Users::chosen(self.users, &self.place.address, guards),
            local: Local::new(format!("unix:{}", self.place.address)),
            address: self.place.address.clone(),
            listener: listening.map_err(|cause| self.place.explain(cause))?,
            _file: file,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

impl Users {
    pub(super) fn read(args: &Args) -> Option<Self> {
        match args.text("users") {
            Some("same") => Some(Self::Same),
            Some("any") => Some(Self::Any),
            _ => None,
        }
    }

    /// What was asked for. A path's mode has said who may connect; a name has none.
    pub(super) fn chosen(asked: Option<Self>, address: &Address, guards: bool) -> Self {
        let is_name = address.path().is_none();
        asked.unwrap_or(if guards && is_name { Self::Same } else { Self::Any })
    }

    /// Whether a process of this user may connect.
    pub(super) fn include(self, uid: Option<u32>) -> bool {
        let ours = rustix::process::geteuid().as_raw();
        self == Self::Any || uid.is_some_and(|uid| uid == 0 || uid == ours)
    }
}

struct Accepting {
    users: Users,
    local: Local,
    address: Address,
    listener: UnixListener,
    _file: Option<File>,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let (stream, fact) = loop {
            let accepted = self.listener.accept().await;
            let (stream, _) = accepted
                .map_err(|cause| Error::from_io("accept", &*self.local.descriptor, cause))?;
            let fact = fact(&self.address, &stream);
            if self.users.include(fact.uid) {
                break (stream, fact);
            }
            let user = fact.uid.map_or_else(|| "unknown".to_owned(), |uid| uid.to_string());
            warn!(
                "refused a process of the user {user} at {}: it may be in front of a program or a \
                 device of yours; `users=any` lets every user of this machine connect",
                self.local
            );
        };
        let info = Info::new().with(fact);
        let offer = Offer::new(info.clone(), Arrived::new(stream, info));
        Ok(Some(Incoming::ready(offer)))
    }
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
}
