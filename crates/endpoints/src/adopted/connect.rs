//! A connection that was passed, as a destination. There is one of it, and one session has it.

use async_trait::async_trait;
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result};

use super::inherited::Which;
use super::sort::{Sorted, sort};
use crate::options::Options;
use crate::socket::Socket;
use crate::users::peer;

#[derive(Debug)]
pub(super) struct Connect {
    pub(super) descriptor: String,
    pub(super) which: Which,
    pub(super) options: Options,
}

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, cx: &Context, _: &Info) -> Result<Conn> {
        let failed = |cause| Error::from_io("connect", &*self.descriptor, cause);
        let words = |kind, words: &str| Error::new(kind, "connect", &*self.descriptor, words);
        let fd = self.which.take(cx, "connect", &self.descriptor)?.swap_remove(0);
        let (_, sorted) = sort(fd).map_err(failed)?;
        Ok(match sorted {
            Sorted::Tcp(stream, fact) => {
                self.options.set_connection(&stream).map_err(failed)?;
                Conn::bytes(Socket::new(stream), Info::new().with(fact))
            }
            Sorted::Unix(stream, path) => {
                let fact = peer(path, &stream);
                self.options.set_buffers(&stream).map_err(failed)?;
                Conn::bytes(Socket::new(stream), Info::new().with(fact))
            }
            Sorted::TcpListener(_) | Sorted::UnixListener(..) => {
                return Err(words(ErrorKind::Other, "the socket is listening, not connected")
                    .with_hint("to listen on it, use `-e fd:…`"));
            }
        })
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}
