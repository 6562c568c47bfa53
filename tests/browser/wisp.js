// Sockets of a page, as web/socket has them, against an echo, a server that reads nothing, and a port without a server.

async function run(ports) {
  const { Sockets, connect } = await import("/socket.js");
  const url = `ws://127.0.0.1:${ports.wisp}/`;
  const sockets = await Sockets.open(url);
  const said = {};

  // Twenty at once, each with half a megabyte.
  const echoed = Array.from({ length: 20 }, async (_, seed) => {
    const socket = await sockets.connect("127.0.0.1", ports.tcp);
    const sent = Uint8Array.from({ length: 500_000 }, (_, at) => (at * 7 + seed * 31 + (at >> 8)) & 255);
    const writing = (async () => {
      const writer = socket.writable.getWriter();
      for (let at = 0; at < sent.length; at += 33_333) await writer.write(sent.subarray(at, at + 33_333));
    })();
    let got = 0;
    const reader = socket.readable.getReader();
    while (got < sent.length) {
      const { value, done } = await reader.read();
      if (done) throw new Error("it ended early");
      for (const byte of value) if (byte !== sent[got++]) throw new Error(`${seed} differs at ${got - 1}`);
    }
    await writing;
    socket.close();
    await socket.closed;
    return (await reader.read()).done;
  });
  said.echoed = (await Promise.all(echoed)).filter(Boolean).length;

  const datagrams = await sockets.connect("127.0.0.1", ports.udp, { network: "udp" });
  const [writer, reader] = [datagrams.writable.getWriter(), datagrams.readable.getReader()];
  said.datagrams = [];
  for (const length of [0, 1, 1400, 20_000]) {
    await writer.write(new Uint8Array(length));
    said.datagrams.push((await reader.read()).value.length);
  }
  await reader.cancel();

  const failure = (promise) => promise.then(() => "none", ({ code, message, reason = null }) => [code, message, reason]);
  said.refused = await failure(sockets.connect("127.0.0.1", ports.closed));
  said.blocked = await failure(sockets.connect("127.0.0.2", ports.tcp));
  said.invalid = await failure(sockets.connect("127.0.0.1", 0));
  said.aborted = await failure(sockets.connect("127.0.0.1", ports.tcp, { signal: AbortSignal.abort() }));

  // More than anybody reads: the echo sends it back.
  const unread = await sockets.connect("127.0.0.1", ports.tcp, { unread: 100_000 });
  unread.writable.getWriter().write(new Uint8Array(1_000_000)).catch(() => {});
  said.unread = await failure(unread.closed);

  // A destination that takes nothing: writing waits for credit, and other sockets go on.
  const slow = await sockets.connect("127.0.0.1", ports.silent);
  const slowly = slow.writable.getWriter();
  let taken = 0;
  const pushing = (async () => {
    for (;;) {
      await slowly.write(new Uint8Array(8192));
      taken += 8192;
    }
  })().catch(() => {});
  const beside = await sockets.connect("127.0.0.1", ports.tcp);
  const words = new TextEncoder().encode("while it waits");
  for (let before = -1; before !== taken; ) {
    before = taken;
    await new Promise((done) => setTimeout(done, 300));
  }
  await beside.writable.getWriter().write(words);
  said.beside = new TextDecoder().decode((await beside.readable.getReader().read()).value);
  said.taken = taken;

  // Closing sends the data that was written, although the caller did not wait for it.
  const closing = await sockets.connect("127.0.0.1", ports.silent);
  const last = closing.writable.getWriter();
  for (const word of ["written", " ", "before"]) void last.write(new TextEncoder().encode(word));
  closing.close();
  await closing.closed;

  const single = await connect(url, "127.0.0.1", ports.tcp);
  await single.writable.getWriter().write(new TextEncoder().encode("alone"));
  said.single = new TextDecoder().decode((await single.readable.getReader().read()).value);
  single.close();

  // A chunk that can't be sent to its end is no success.
  const unsent = await sockets.connect("127.0.0.1", ports.silent);
  const cut = failure(unsent.writable.getWriter().write(new Uint8Array(16 << 20)));
  said.malformed = (await failure(Sockets.open("ftp://127.0.0.1/")))[0];

  sockets.close();
  await sockets.closed;
  await pushing;
  said.cut = (await cut)[0];
  said.over = await failure(beside.closed);
  return said;
}
