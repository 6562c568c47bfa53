//! An MQTT 3.1.1 client over any descriptor, with a protocol that does no I/O.
//!
//! `mqtt subscribe tcp:localhost:1883 news 1` prints one message, and
//! `mqtt publish ws:{tcp:localhost:9001}:subprotocol=mqtt news hello` sends one.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program may print")]

use std::collections::VecDeque;
use std::error::Error;

use endpointforward::{Io, connect};
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::{Event, Sendable};
use mqtt_protocol_core::mqtt::packet::{Packet, Qos, SubEntry, SubOpts, v3_1_1};
use mqtt_protocol_core::mqtt::prelude::*;
use mqtt_protocol_core::mqtt::role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        ["subscribe", descriptor, topic, count] => {
            subscribe(descriptor, topic, count.parse()?).await
        }
        ["publish", descriptor, topic, text] => publish(descriptor, topic, text).await,
        _ => Err("usage: mqtt subscribe DESCRIPTOR TOPIC COUNT, or mqtt publish DESCRIPTOR TOPIC \
                  TEXT"
            .into()),
    }
}

async fn subscribe(descriptor: &str, topic: &str, count: usize) -> Result<()> {
    let mut client = Client::open(descriptor).await?;
    let options = SubOpts::new().set_qos(Qos::AtMostOnce);
    let entry = SubEntry::new(topic, options).map_err(debug)?;
    let id = client.protocol.acquire_packet_id().map_err(debug)?;
    let packet = v3_1_1::Subscribe::builder().packet_id(id).entries(vec![entry]);
    client.send(packet.build().map_err(debug)?).await?;
    let mut left = count;
    while left > 0 {
        match client.next().await? {
            Packet::V3_1_1Suback(_) => eprintln!("subscribed to {topic}"),
            Packet::V3_1_1Publish(message) => {
                println!("{}", String::from_utf8_lossy(message.payload().as_slice()));
                left -= 1;
            }
            other => eprintln!("{other:?}"),
        }
    }
    client.close().await
}

async fn publish(descriptor: &str, topic: &str, text: &str) -> Result<()> {
    let mut client = Client::open(descriptor).await?;
    let packet = v3_1_1::Publish::builder().topic_name(topic).map_err(debug)?;
    let packet = packet.qos(Qos::AtMostOnce).payload(text.as_bytes());
    client.send(packet.build().map_err(debug)?).await?;
    client.close().await
}

/// The protocol, and its buffers.
struct Client {
    io: Io,
    protocol: mqtt::Connection<role::Client>,
    received: VecDeque<Packet>,
}

impl Client {
    /// Connects, and waits for the broker's CONNACK.
    async fn open(descriptor: &str) -> Result<Self> {
        let io = connect(descriptor).await?.into_io();
        let protocol = mqtt::Connection::new(mqtt::Version::V3_1_1);
        let mut client = Self { io, protocol, received: VecDeque::new() };
        let id = format!("endpointforward-{}", std::process::id());
        let packet = v3_1_1::Connect::builder().client_id(id).map_err(debug)?.clean_session(true);
        client.send(packet.build().map_err(debug)?).await?;
        match client.next().await? {
            Packet::V3_1_1Connack(answer) if answer.return_code().is_success() => Ok(client),
            other => Err(format!("the broker said {other:?}").into()),
        }
    }

    async fn send(&mut self, packet: impl Sendable<role::Client, u16>) -> Result<()> {
        let events = self.protocol.checked_send(packet);
        self.handle(events).await
    }

    async fn next(&mut self) -> Result<Packet> {
        loop {
            if let Some(packet) = self.received.pop_front() {
                return Ok(packet);
            }
            let mut buffer = [0; 4096];
            let count = self.io.read(&mut buffer).await?;
            if count == 0 {
                return Err("the broker has closed".into());
            }
            let mut cursor = mqtt::common::Cursor::new(&buffer[..count]);
            while cursor.position() < count as u64 {
                let events = self.protocol.recv(&mut cursor);
                self.handle(events).await?;
            }
        }
    }

    async fn handle(&mut self, events: Vec<Event>) -> Result<()> {
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    self.io.write_all(&packet.to_continuous_buffer()).await?;
                    self.io.flush().await?;
                }
                Event::NotifyPacketReceived(packet) => self.received.push_back(packet),
                Event::NotifyError(error) => return Err(debug(error)),
                // Timers are for keep-alive, which this client doesn't use.
                _ => {}
            }
        }
        Ok(())
    }

    async fn close(mut self) -> Result<()> {
        let packet = v3_1_1::Disconnect::builder().build().map_err(debug)?;
        self.send(packet).await?;
        Ok(self.io.shutdown().await?)
    }
}

fn debug(error: impl std::fmt::Debug) -> Box<dyn Error> {
    format!("{error:?}").into()
}
