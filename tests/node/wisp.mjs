// The client of `@mercuryworkshop/wisp-js`: a hundred streams at once, each of which wants back what it sent.
//
// Arguments: the port of the listener, those of an echo by TCP and by UDP, the version to speak: 1 or 2.

import { client } from "@mercuryworkshop/wisp-js/client";

const [port, tcp, udp, version] = process.argv.slice(2).map(Number);
const connection = new client.ClientConnection(`ws://127.0.0.1:${port}/`, { wisp_version: version });
connection.onerror = () => fail("the connection failed");
connection.onclose = () => fail("the connection was closed");
connection.onopen = () => run().catch((error) => fail(error.stack));

async function run() {
  if (connection.wisp_version !== version) fail(`version ${connection.wisp_version} was agreed on`);
  const streams = Array.from({ length: 100 }, (_, number) => (number % 4 ? overTcp(number) : overUdp(number)));
  await Promise.all(streams);
  console.log(`version ${version}: 100 streams echoed`);
  process.exit(0);
}

/// Three megabytes, in packets of several sizes: more than the credit of a stream.
function overTcp(number) {
  const stream = connection.create_stream("127.0.0.1", tcp);
  const sent = bytes(number, 3_000_000 / 10);
  let got = 0;
  return new Promise((resolve) => {
    stream.onmessage = (data) => {
      for (const byte of data) if (byte !== sent[got++]) fail(`stream ${number} differs at ${got - 1}`);
      if (got === sent.length) {
        stream.close();
        resolve();
      }
    };
    stream.onclose = (reason) => fail(`stream ${number} was closed: ${reason}`);
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7) % 9973) {
      stream.send(sent.slice(at, at + size));
    }
  });
}

/// One datagram after another: on loopback none is lost, but they could overtake each other's room.
function overUdp(number) {
  const stream = connection.create_stream("127.0.0.1", udp, "udp");
  return new Promise((resolve) => {
    let length = 1;
    stream.onmessage = (data) => {
      if (Buffer.compare(data, bytes(number, length))) fail(`datagram ${number}, ${length} differs`);
      length *= 5;
      if (length > 20_000) {
        stream.close();
        return resolve();
      }
      stream.send(bytes(number, length));
    };
    stream.onclose = (reason) => fail(`stream ${number} was closed: ${reason}`);
    stream.send(bytes(number, length));
  });
}

/// The same bytes for the same number.
function bytes(number, length) {
  return Uint8Array.from({ length }, (_, at) => (number * 31 + at * 7 + (at >> 8)) & 255);
}

function fail(words) {
  console.error(words);
  process.exit(1);
}
