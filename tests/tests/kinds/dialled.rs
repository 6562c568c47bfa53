//! `dialled:{CONNECTOR}`: a listener over a connector. It connects to where clients wait for it, as a device behind
//! a firewall does; each connection is one session, and the next one is opened when that has ended.

use std::sync::Arc;

use async_trait::async_trait;
use endpointforward::kind::{Args, Assemble, Kind, Param, PlanListen, Planned, Side, ValueKind};
use endpointforward::{
    Accept, Connector, Context, EndpointError, Exposure, Incoming, Info, Listener, Local, Offer,
};
use tokio::sync::oneshot;

pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::alike(
        &[Param::new("endpoint", ValueKind::Connector, "Where clients wait.")
            .positional()
            .required()],
        PlanListen::Over(plan),
    )),
    ..Kind::new("dialled", "Listens by connecting to where clients wait")
};

fn plan(args: &Args) -> Planned<Assemble<dyn Listener>> {
    let descriptor = args.descriptor.clone();
    Ok(Box::new(move |mut beneath| {
        let connector = Arc::from(beneath.connector("endpoint"));
        Box::new(Dialled { connector, descriptor })
    }))
}

#[derive(Debug)]
struct Dialled {
    connector: Arc<dyn Connector>,
    descriptor: String,
}

#[async_trait]
impl Listener for Dialled {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>, EndpointError> {
        let (connector, cx) = (Arc::clone(&self.connector), cx.clone());
        let local = Local::new(self.descriptor.as_str());
        Ok(Box::new(Dialling { connector, cx, local, current: None }))
    }

    fn exposure(&self) -> Exposure {
        // The listener at that address decides which clients come.
        Exposure::Public
    }
}

struct Dialling {
    connector: Arc<dyn Connector>,
    cx: Context,
    local: Local,
    /// Ends with the session.
    current: Option<oneshot::Receiver<()>>,
}

#[async_trait]
impl Accept for Dialling {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>, EndpointError> {
        if let Some(current) = &mut self.current {
            let _ = current.await;
            self.current = None;
        }
        // An error is reported by the accept loop, which pauses before it comes back.
        let mut conn = self.connector.connect(&self.cx, &Info::new()).await?;
        let (guard, ended) = oneshot::channel::<()>();
        conn.guard = std::mem::take(&mut conn.guard).and(guard);
        self.current = Some(ended);
        Ok(Some(Incoming::ready(Offer::open(conn))))
    }
}
