//! `first:{A}:{B}…`: an endpoint over several connectors. The first one that opens is the destination.

use async_trait::async_trait;
use endpointforward::kind::{Args, Assemble, Kind, Param, PlanConnect, Planned, Side, ValueKind};
use endpointforward::{Conn, Connector, Context, EndpointError, Grants, Info};

pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::alike(
        &[Param::new("endpoint", ValueKind::Connector, "A destination to try.")
            .positional()
            .required()
            .rest()],
        PlanConnect::Over(plan),
    )),
    ..Kind::new("first", "The first of several destinations that opens")
};

fn plan(_: &Args) -> Planned<Assemble<dyn Connector>> {
    Ok(Box::new(|mut beneath| Box::new(Fallback(beneath.connectors("endpoint")))))
}

#[derive(Debug)]
struct Fallback(Vec<Box<dyn Connector>>);

#[async_trait]
impl Connector for Fallback {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn, EndpointError> {
        let mut last = None;
        for connector in &self.0 {
            match connector.connect(cx, info).await {
                Ok(conn) => return Ok(conn),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("the endpoint is required"))
    }

    fn grants(&self) -> Grants {
        // A client may reach any of them.
        self.0.iter().map(|connector| connector.grants()).max().unwrap_or(Grants::Nothing)
    }
}
