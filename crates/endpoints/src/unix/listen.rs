//! Listening.

use std::io;
use std::os::fd::OwnedFd;

use async_trait::async_trait;
use descriptor::Diagnostic;
use endpoint::info::Unix;
use endpoint::{
    Accept, Context, Error, Exposure, Incoming, Info, Listener, Local, Missing, Offer,
    Result as Opened,
};
use plan::kind::{Args, Planned};
use socket2::{Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::Address;
use super::place::{File, Place};
use crate::arrived::Arrived;
use crate::options::Options;
use crate::users::{Users, peer};

#[derive(Debug)]
struct Listen {
    bind: Bind,
    options: Options,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let bind = Bind::read(args).map_err(|mistake| vec![mistake])?;
    let options = Options::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Listen { bind, options }))
}

#[async_trait]
impl Listener for Listen {
    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.bind.place.address.in_the_way("address").into_iter().collect()
    }

    async fn bind(&self, cx: &Context) -> Opened<Box<dyn Accept>> {
        let set = |socket: &Socket| self.options.set_buffers(socket);
        let listening = self.bind.open(cx, "unix", Type::STREAM, set)?;
        Ok(Box::new(Accepting { listening, options: self.options.clone() }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

struct Accepting {
    listening: Listening,
    options: Options,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.listening.local
    }

    async fn accept(&mut self) -> Opened<Option<Incoming>> {
        let (stream, fact) = self.listening.accept().await?;
        // It has none of the listening socket's; that they can be had was seen there.
        let _ = self.options.set_buffers(&stream);
        let info = Info::new().with(fact);
        let offer = Offer::new(info.clone(), Arrived::new(stream, info));
        Ok(Some(Incoming::ready(offer)))
    }
}

/// A socket to listen on, of either type that has connections.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) place: Place,
    users: Option<Users>,
    backlog: i32,
}

impl Bind {
    /// Reads the parameters of a listening side.
    pub(super) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let backlog = args.int("backlog").and_then(|backlog| i32::try_from(backlog).ok());
        Ok(Self {
            place: Place::read(args)?,
            users: Users::read(args),
            backlog: backlog.expect("`backlog` has a default and is at most 65535"),
        })
    }

    /// Listens as the kind `name`, on a socket of this type on which `set` has set its options.
    pub(super) fn open(
        &self,
        cx: &Context,
        name: &str,
        sort: Type,
        set: impl Fn(&Socket) -> io::Result<()>,
    ) -> Opened<Listening> {
        let guards = cx.behind().is_unguarded();
        let (socket, file) = self.place.bind(sort, guards, set)?;
        // The runtime's listener of streams accepts connections of either type: it cares for no more than the descriptor.
        let listening = socket
            .listen(self.backlog)
            .and_then(|()| UnixListener::from_std(OwnedFd::from(socket).into()));
        let address = self.place.address.clone();
        Ok(Listening {
            local: Local::new(format!("{name}:{address}")),
            users: chosen(self.users, &address, guards),
            address,
            listener: listening.map_err(|cause| self.place.explain(cause))?,
            _file: file,
        })
    }
}

/// The users whose processes may connect by default: a path's mode decides it; a name has none.
pub(super) fn chosen(asked: Option<Users>, address: &Address, guards: bool) -> Users {
    let is_name = address.path().is_none();
    asked.unwrap_or(if guards && is_name { Users::Same } else { Users::Any })
}

/// A socket that listens.
pub(super) struct Listening {
    pub(super) local: Local,
    users: Users,
    address: Address,
    listener: UnixListener,
    _file: Option<File>,
}

impl Listening {
    /// Accepts the next connection of a process that may connect. Cancel safe: a future that is dropped has taken none.
    pub(super) async fn accept(&self) -> Opened<(UnixStream, Unix)> {
        loop {
            let accepted = self.listener.accept().await;
            let (stream, _) = accepted.map_err(|cause| self.failed(cause))?;
            let fact = peer(self.address.shown(), &stream);
            if self.users.include(fact.uid) {
                return Ok((stream, fact));
            }
            Users::log_refusal(fact.uid, "a process", &self.local.descriptor);
        }
    }

    pub(super) fn failed(&self, cause: io::Error) -> Error {
        Error::from_io("accept", &*self.local.descriptor, cause)
    }
}
