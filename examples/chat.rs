//! A line chat over any descriptor: each line goes to all other clients.
//!
//! `chat serve ws:9000`, then `chat join ws:{tcp:localhost:9000}` in several terminals; or over
//! `unix:/tmp/chat`, or `tcp:9000`. The chat knows only lines, not the endpoints that carry them.

#![expect(clippy::print_stderr, reason = "a program may print")]

use std::error::Error;

use endpointforward::{Conn, connect, listen};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy, split, stdin, stdout};
use tokio::sync::broadcast;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        ["serve", descriptor] => serve(descriptor).await,
        ["join", descriptor] => join(descriptor).await,
        _ => Err("usage: chat serve|join DESCRIPTOR".into()),
    }
}

async fn serve(descriptor: &str) -> Result<(), Box<dyn Error>> {
    let mut listening = listen(descriptor).await?;
    eprintln!("listening on {}", listening.local());
    // A guest that is more than 100 lines behind misses some.
    let (room, _) = broadcast::channel(100);
    for guest in 1_u64.. {
        let Some(conn) = listening.accept().await else { break };
        tokio::spawn(host(conn, guest, room.clone()));
    }
    Ok(())
}

/// Reads one guest's lines and writes those of the others.
async fn host(conn: Conn, guest: u64, room: broadcast::Sender<(u64, String)>) {
    let mut heard = room.subscribe();
    let (reader, mut writer) = split(conn.into_io());
    let mut lines = BufReader::new(reader).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                // There may be no other guest.
                Ok(Some(line)) => drop(room.send((guest, format!("{guest}: {line}\n")))),
                Ok(None) | Err(_) => return,
            },
            heard = heard.recv() => match heard {
                Ok((from, line)) if from != guest => {
                    let written = writer.write_all(line.as_bytes()).await;
                    if written.is_err() || writer.flush().await.is_err() {
                        return;
                    }
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// Joins with standard input and output, until the end of the input.
async fn join(descriptor: &str) -> Result<(), Box<dyn Error>> {
    let (mut reader, mut writer) = split(connect(descriptor).await?.into_io());
    let hearing = tokio::spawn(async move { copy(&mut reader, &mut stdout()).await });
    copy(&mut stdin(), &mut writer).await?;
    writer.shutdown().await?;
    hearing.await??;
    Ok(())
}
