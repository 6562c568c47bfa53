//! `shared:{CONNECTOR}`: one inner connection for several sessions. All see what it sends; what each sends goes to
//! it. It is opened for the first session and closed after the last.

use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use endpointforward::kind::{Args, Assemble, Kind, Param, PlanConnect, Planned, Side, ValueKind};
use endpointforward::{Conn, Connector, Context, EndpointError, Grants, Info, Plain};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::{Mutex as AsyncMutex, broadcast, mpsc};
use tokio::task::AbortHandle;

pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::bytes(
        &[Param::new("endpoint", ValueKind::Connector, "What is shared.").positional().required()],
        PlanConnect::Over(plan),
    )),
    ..Kind::new("shared", "One connection for several sessions")
};

fn plan(_: &Args) -> Planned<Assemble<dyn Connector>> {
    Ok(Box::new(|mut beneath| {
        let inner = beneath.connector("endpoint");
        Box::new(Shared { inner, open: AsyncMutex::default() })
    }))
}

#[derive(Debug)]
struct Shared {
    inner: Box<dyn Connector>,
    /// Locked while the connection is opened: sessions that come meanwhile wait for that one.
    open: AsyncMutex<Weak<Link>>,
}

/// The inner connection; its task ends with the last session.
#[derive(Debug)]
struct Link {
    input: mpsc::Sender<Vec<u8>>,
    output: Mutex<Option<broadcast::Sender<Vec<u8>>>>,
    task: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Connector for Shared {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn, EndpointError> {
        let mut open = self.open.lock().await;
        let joined = open.upgrade().and_then(|link| Some((link.subscribe()?, link)));
        let (output, link) = match joined {
            Some(joined) => joined,
            None => {
                let (output, link) = Link::over(self.inner.connect(cx, info).await?);
                *open = Arc::downgrade(&link);
                (output, link)
            }
        };
        let (ours, theirs) = duplex(BUFFER);
        let mut conn = Conn::bytes(Plain::new(theirs), Info::new());
        let pump = tokio::spawn(pump(ours, output, link.input.clone())).abort_handle();
        conn.guard = conn.guard.and((link, AbortOnDrop(pump)));
        Ok(conn)
    }

    fn grants(&self) -> Grants {
        self.inner.grants()
    }
}

impl Link {
    fn over(conn: Conn) -> (broadcast::Receiver<Vec<u8>>, Arc<Self>) {
        let (mut reader, mut writer) = split(conn.into_io());
        let (input, mut inputs) = mpsc::channel::<Vec<u8>>(QUEUE);
        let (sender, first) = broadcast::channel(QUEUE);
        let output = Mutex::new(Some(sender.clone()));
        let link = Arc::new_cyclic(|link: &Weak<Self>| {
            let link = link.clone();
            let task = tokio::spawn(async move {
                let mut data = vec![0; BUFFER];
                loop {
                    tokio::select! {
                        read = reader.read(&mut data) => match read {
                            // A session that is not there any more, or that is slow, holds up no other one.
                            Ok(1..) => drop(sender.send(data[..read.unwrap_or(0)].to_vec())),
                            _ => break,
                        },
                        Some(data) = inputs.recv() => {
                            if writer.write_all(&data).await.is_err() {
                                break;
                            }
                        }
                    }
                }
                // Its end is the end of every session; the next one opens it again.
                if let Some(link) = link.upgrade() {
                    link.output.lock().expect("nothing panics with it").take();
                }
            });
            Self { input, output, task: task.abort_handle() }
        });
        (first, link)
    }

    fn subscribe(&self) -> Option<broadcast::Receiver<Vec<u8>>> {
        Some(self.output.lock().ok()?.as_ref()?.subscribe())
    }
}

/// Moves what one session sends and receives. One that falls behind by a whole queue is ended rather than given a
/// part of the data.
async fn pump(
    ours: DuplexStream,
    mut output: broadcast::Receiver<Vec<u8>>,
    input: mpsc::Sender<Vec<u8>>,
) {
    let (mut reader, mut writer) = split(ours);
    let sends = async {
        let mut data = vec![0; BUFFER];
        while let Ok(length @ 1..) = reader.read(&mut data).await {
            if input.send(data[..length].to_vec()).await.is_err() {
                return;
            }
        }
        // Its input has ended; data that others cause is still for it, too.
        std::future::pending::<()>().await;
    };
    let receives = async {
        while let Ok(data) = output.recv().await {
            if writer.write_all(&data).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = sends => {} () = receives => {} }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const BUFFER: usize = 4096;
const QUEUE: usize = 16;
