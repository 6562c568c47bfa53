//! The reference: the least that a program has to do to pass bytes on, over the runtime that the forwarder uses.
//!
//! One thread, a task a connection, a 32 KiB buffer in each direction, no options, no log. The forwarder's cost is
//! given as a ratio to it.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

/// Listens on a port of the kernel's choice, prints it, and forwards to `far` until it is killed.
pub(crate) fn run(far: u16) -> Failure {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let failed = match runtime {
        Ok(runtime) => runtime.block_on(serve(far)),
        Err(error) => error,
    };
    format!("the reference: {failed}")
}

async fn serve(far: u16) -> std::io::Error {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    match listener.local_addr() {
        Ok(address) => println!("{LISTENING}{}", address.port()),
        Err(error) => return error,
    }
    loop {
        match listener.accept().await {
            Ok((near, _)) => drop(tokio::spawn(relay(near, far))),
            Err(error) => return error,
        }
    }
}

async fn relay(mut near: TcpStream, far: u16) -> std::io::Result<()> {
    near.set_nodelay(true)?;
    let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, far)).await?;
    far.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await?;
    Ok(())
}

/// Before the port in its only line.
pub(crate) const LISTENING: &str = "listening on ";

/// As large as the forwarder's.
const BUFFER: usize = 32 * 1024;
