// The client of `ws`: sends messages of every size at which a header changes, and wants all of them back.
//
// Arguments: the port, the subprotocol to offer or `none`, whether to offer compression: `on` or `off`.
// Prints what was agreed on, and how it ended.

import WebSocket from "ws";

const [port, subprotocol, compression] = process.argv.slice(2);
const offered = subprotocol === "none" ? [] : [subprotocol];
const ws = new WebSocket(`ws://127.0.0.1:${port}/`, offered, { perMessageDeflate: compression === "on" });

let got = [];
let binary = true;
let wake = () => {};
let over = false;
ws.on("message", (data, isBinary) => {
  if (isBinary !== (subprotocol !== "base64" && binary)) fail("a message of the wrong type came");
  got.push(subprotocol === "base64" ? Buffer.from(data.toString(), "base64") : data);
  wake();
});
ws.on("error", (error) => fail(error.stack));
ws.on("close", (code) => {
  console.log("closed", code);
  if (!over) fail("closed too early");
});
ws.on("open", () => converse().catch((error) => fail(error.stack)));

async function converse() {
  console.log("subprotocol", ws.protocol || "none");
  console.log("extensions", ws.extensions || "none");
  for (const size of [1, 125, 126, 65535, 65536, 1 << 20]) {
    const data = compressible(size);
    binary = true;
    await echoed(data, subprotocol === "base64" ? data.toString("base64") : data);
    // With these two, text has another meaning.
    if (subprotocol !== "none") continue;
    binary = false;
    const text = data.toString().replaceAll("p", "ä");
    await echoed(Buffer.from(text), text);
  }
  over = true;
  ws.close(1000);
}

/// Letters from `a` to `p` at random, the same every time: half the size when it is compressed.
function compressible(size) {
  let state = 1;
  const letter = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 97 + (state >>> 28);
  };
  return Buffer.from(Uint8Array.from({ length: size }, letter));
}

/// Sends `message`, and waits until `data` has come, however it was cut into messages.
async function echoed(data, message) {
  got = [];
  ws.send(message);
  while (got.reduce((sum, piece) => sum + piece.length, 0) < data.length) {
    await new Promise((resolve) => (wake = resolve));
  }
  if (!Buffer.concat(got).equals(data)) fail(`${data.length} bytes came back changed`);
}

function fail(words) {
  console.error(words);
  process.exit(1);
}
