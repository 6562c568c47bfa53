//! WebSocket over TLS over a pair of sockets of the program's own, both sides: `over` prints what the server received.
//!
//! Any protocol goes over any stream in this way, such as one that another library has opened.

#![expect(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;

use endpointforward::{Conn, Endpoints};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let (near, far) = UnixStream::pair()?;
    let (said, ()) = tokio::try_join!(serve(far), send(near))?;
    println!("{said}");
    Ok(())
}

async fn serve(stream: UnixStream) -> Result<String> {
    let endpoints = Endpoints::new();
    // A descriptor without the endpoint beneath, which is `stream`.
    let mut tls = endpoints.listen_over("tls:cert=self-signed", Conn::from_io(stream)).await?;
    let conn = tls.accept().await.ok_or("no TLS")?;
    let mut ws = endpoints.listen_over("ws:path=/chat", conn).await?;
    let mut io = ws.accept().await.ok_or("no WebSocket")?.into_io();
    let mut said = String::new();
    io.read_to_string(&mut said).await?;
    io.shutdown().await?;
    Ok(said)
}

async fn send(stream: UnixStream) -> Result<()> {
    let endpoints = Endpoints::new();
    // Only because both ends of the socket are here.
    let tls = "tls:name=localhost:insecure=true";
    let conn = endpoints.connect_over(tls, Conn::from_io(stream)).await?;
    let mut io = endpoints.connect_over("ws:path=/chat", conn).await?.into_io();
    io.write_all(b"hello").await?;
    io.shutdown().await?;
    // Until the server has closed, too.
    io.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
