//! hyper over any descriptor: `http serve unix:/tmp/web` and `http get unix:/tmp/web /hello`.
//!
//! The server answers with the requested path and the client's address.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program may print")]

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use endpointforward::{connect, listen};
use http_body_util::{BodyExt, Empty, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        ["serve", descriptor] => serve(descriptor).await,
        ["get", descriptor, path] => get(descriptor, path).await,
        _ => Err("usage: http serve DESCRIPTOR, or http get DESCRIPTOR PATH".into()),
    }
}

async fn serve(descriptor: &str) -> Result<(), Box<dyn Error>> {
    let mut listening = listen(descriptor).await?;
    eprintln!("listening on {}", listening.local());
    while let Some(conn) = listening.accept().await {
        let peer = conn.info.peer().unwrap_or_default();
        let answer = service_fn(move |request: Request<_>| {
            let text = format!("{} for {peer}\n", request.uri().path());
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text)))) }
        });
        let serving = hyper::server::conn::http1::Builder::new();
        let serving = serving.serve_connection(TokioIo::new(conn.into_io()), answer);
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

async fn get(descriptor: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let io = TokioIo::new(connect(descriptor).await?.into_io());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new())?;
    let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
    print!("{}", String::from_utf8_lossy(&body));
    Ok(())
}
