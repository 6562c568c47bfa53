//! Listening.

use std::os::fd::OwnedFd;

use async_trait::async_trait;
use endpoint::{Accept, Context, Error, Exposure, Incoming, Info, Listener, Local, Offer, Result};
use plan::kind::{Args, Planned};
use socket2::{Socket, Type};
use tokio::net::UnixListener;
use tracing::warn;

use super::Address;
use super::connect::fact;
use super::place::{File, Place};
use crate::arrived::Arrived;
use crate::options::Options;
use crate::users::Users;

#[derive(Debug)]
struct Listen {
    place: Place,
    users: Option<Users>,
    backlog: i32,
    options: Options,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let place = Place::read(args).map_err(|mistake| vec![mistake])?;
    let options = Options::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Listen { place, users: Users::read(args), backlog: backlog(args), options }))
}

pub(super) fn backlog(args: &Args) -> i32 {
    let backlog = args.int("backlog").and_then(|backlog| i32::try_from(backlog).ok());
    backlog.expect("`backlog` has a default and is at most 65535")
}

/// The users whose processes may connect by default: a path's mode decides it; a name has none.
pub(super) fn chosen(asked: Option<Users>, address: &Address, guards: bool) -> Users {
    let is_name = address.path().is_none();
    asked.unwrap_or(if guards && is_name { Users::Same } else { Users::Any })
}

#[async_trait]
impl Listener for Listen {
    fn missing(&self, _: &Context) -> Option<String> {
        self.place.address.in_the_way()
    }

    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let guards = cx.behind().is_unguarded();
        let set = |socket: &Socket| self.options.set_buffers(socket);
        let (socket, file) = self.place.bind(Type::STREAM, guards, set)?;
        let listening = socket
            .listen(self.backlog)
            .and_then(|()| UnixListener::from_std(OwnedFd::from(socket).into()));
        Ok(Box::new(Accepting {
            users: chosen(self.users, &self.place.address, guards),
            local: Local::new(format!("unix:{}", self.place.address)),
            address: self.place.address.clone(),
            listener: listening.map_err(|cause| self.place.explain(cause))?,
            options: self.options.clone(),
            _file: file,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

struct Accepting {
    users: Users,
    local: Local,
    address: Address,
    listener: UnixListener,
    options: Options,
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
            warn!("{}", Users::refusal(fact.uid, &self.local.to_string()));
        };
        // It has none of the listening socket's; that they can be had was seen there.
        let _ = self.options.set_buffers(&stream);
        let info = Info::new().with(fact);
        let offer = Offer::new(info.clone(), Arrived::new(stream, info));
        Ok(Some(Incoming::ready(offer)))
    }
}
