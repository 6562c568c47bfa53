// WebSocket as a page uses it, for any browser.

/// Sends messages of every size at which a header changes to `url`, which says them back: binary, and text too
/// unless a subprotocol is offered, with which text has another meaning: base64, or none. What became of it, in
/// JSON.
async function converse(url, subprotocol) {
  const ws = subprotocol ? new WebSocket(url, subprotocol) : new WebSocket(url);
  ws.binaryType = "arraybuffer";
  const wrong = [];
  let got = [];
  let wake = () => {};
  ws.onmessage = ({ data }) => {
    got.push(data);
    wake();
  };
  const closed = new Promise((resolve) => {
    ws.onclose = ({ code }) => {
      resolve(code);
      wake();
    };
  });
  const base64 = subprotocol === "base64";
  const length = (piece) => piece.byteLength ?? (base64 ? atob(piece) : piece).length;
  const all = () => got.reduce((sum, piece) => sum + length(piece), 0);
  /// From `a` to `p` at random, the same every time: half the size when it is compressed.
  let state = 1;
  const letter = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 97 + (state >>> 28);
  };
  /// Sends one message, and waits for as much.
  const echo = async (message, size = message.length) => {
    got = [];
    ws.send(message);
    while (all() < size && ws.readyState === WebSocket.OPEN) {
      await new Promise((resolve) => (wake = resolve));
    }
  };

  await new Promise((resolve) => {
    ws.onopen = resolve;
    closed.then(resolve);
  });
  for (const size of [1, 125, 126, 65535, 65536, 1 << 20]) {
    const bytes = Uint8Array.from({ length: size }, letter);
    if (base64) {
      const letters = new TextDecoder().decode(bytes);
      await echo(btoa(letters), size);
      if (got.map(atob).join("") !== letters) wrong.push(`base64 of ${size}`);
      continue;
    }
    await echo(bytes);
    const back = new Uint8Array(await new Blob(got).arrayBuffer());
    const types = got.every((piece) => piece instanceof ArrayBuffer);
    if (!types || back.length !== size || back.some((byte, at) => byte !== bytes[at])) {
      wrong.push(`binary of ${size}`);
    }
    if (subprotocol) continue;
    const text = new TextDecoder().decode(bytes).replaceAll("p", "ß中").slice(0, size);
    await echo(text);
    if (got.join("") !== text) wrong.push(`text of ${size}`);
  }
  const { extensions, protocol } = ws;
  ws.close(1000);
  return JSON.stringify({ extensions, protocol, wrong, closed: await closed });
}
