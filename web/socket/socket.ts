// Sockets for web pages: TCP and UDP through endpointforward's `wisp` listener, or any other server of Wisp.
//
//   const sockets = await Sockets.open("wss://example.com/wisp/");
//   const socket = await sockets.connect("redis.internal", 6379);
//   const writer = socket.writable.getWriter();
//   await writer.write(new TextEncoder().encode("PING\r\n"));
//   for await (const bytes of socket.readable) …
//
// One WebSocket carries them all. What is written waits for the credit that the server gives each socket, so one whose
// destination is slow delays no other one. What is received has no credit in Wisp: a socket that isn't read keeps
// `unread` bytes at most, and is closed beyond that.

/** Why a socket can't be had, or is over: `code` is for programs, `message` for people. */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly code: Code;
  /** Wisp's number, if the server has given one. */
  readonly reason: number | undefined;

  constructor(code: Code, message: string, reason?: number) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export type Code =
  | "aborted" // by the signal that `connect` was given
  | "blocked" // the server doesn't allow this destination
  | "closed" // the WebSocket is closed
  | "invalid" // what was asked for means nothing
  | "lost" // the network failed
  | "protocol" // the server doesn't speak Wisp
  | "refused" // the destination refused
  | "throttled" // a limit of the server's is reached
  | "timeout" // the destination didn't answer, or nothing moved for too long
  | "unread" // more came than was read
  | "unreachable"; // the host can't be reached, or its name is unknown

export interface ConnectOptions {
  /** With `udp`, each chunk that is written or read is a datagram. */
  network?: "tcp" | "udp";
  /** Gives up an attempt, or closes the socket. */
  signal?: AbortSignal;
  /** How many bytes may wait to be read: 16 MiB. */
  unread?: number;
}

export interface Socket {
  /** What comes. It ends when the destination does, and fails when the socket does. Cancelling it closes the socket. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What goes. A write fails if the socket ends before all of its chunk was sent. Closing it sends what was written and nothing else: Wisp has no half-close. Aborting it closes the socket. */
  readonly writable: WritableStream<Uint8Array>;
  /** When the socket is over; rejected if it failed. */
  readonly closed: Promise<void>;
  /** Closes the socket. What was written before is sent. */
  close(): void;
}

/** A WebSocket with sockets in it. */
export class Sockets {
  /** When the WebSocket is over. */
  readonly closed: Promise<void>;
  readonly #ws: WebSocket;
  readonly #streams = new Map<number, Stream>();
  /** How many packets a new stream may send. */
  readonly #credit: number;
  /** Whether the server says when a stream is connected. */
  readonly #confirms: boolean;
  #next = 1;

  /** Connects to a server of Wisp. Its URL ends with a slash by convention. */
  static async open(url: string | URL, options: { signal?: AbortSignal } = {}): Promise<Sockets> {
    try {
      return new Sockets(await greet(url, ["wisp-v2"], options.signal));
    } catch (error) {
      // A server of version 1 names no subprotocol, which a browser takes for a failure.
      if (!(error instanceof SocketError) || error.code !== "closed") throw error;
      return new Sockets(await greet(url, [], options.signal));
    }
  }

  private constructor({ ws, credit, confirms }: Greeted) {
    this.#ws = ws;
    this.#credit = credit;
    this.#confirms = confirms;
    ws.onmessage = ({ data }) => this.#receive(data);
    this.closed = new Promise((resolve) => {
      ws.onclose = ({ code, reason }) => {
        for (const stream of [...this.#streams.values()]) stream.end(lost(code, reason));
        resolve();
      };
    });
  }

  /** Connects to a host, by its name or its address. Resolves once the server says that it is connected. */
  async connect(host: string, port: number, options: ConnectOptions = {}): Promise<Socket> {
    const { network = "tcp", signal, unread = UNREAD } = options;
    if (!Number.isInteger(port) || port < 1 || port > 65535 || !host || host.length > 253) {
      throw new SocketError("invalid", `${host}:${port} is no destination`);
    }
    if (signal?.aborted) throw new SocketError("aborted", "it was given up");
    if (this.#ws.readyState !== WebSocket.OPEN) throw new SocketError("closed", "the WebSocket is closed");
    const number = this.#next++;
    const stream = new Stream(this.#ws, number, network === "udp", this.#credit, unread, () => {
      this.#streams.delete(number);
      signal?.removeEventListener("abort", abort);
    });
    const abort = (): void => stream.fail(new SocketError("aborted", "it was given up"));
    signal?.addEventListener("abort", abort, { once: true });
    this.#streams.set(number, stream);
    const name = new TextEncoder().encode(host);
    this.#ws.send(packet(CONNECT, number, [network === "udp" ? 2 : 1, port & 255, port >> 8, ...name]));
    if (!this.#confirms || network === "udp") stream.open();
    await stream.opened;
    return stream;
  }

  /** Closes the WebSocket, and all sockets with it. */
  close(): void {
    this.#ws.close(1000);
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength < HEADER) {
      this.#ws.close(4002, "this is not Wisp");
      return;
    }
    const view = new DataView(data);
    // What comes for a stream that is over has crossed the word of that.
    const stream = this.#streams.get(view.getUint32(1, true));
    switch (view.getUint8(0)) {
      case DATA:
        return stream?.take(new Uint8Array(data, HEADER));
      case CONTINUE:
        return data.byteLength < HEADER + 4 ? undefined : stream?.grant(view.getUint32(HEADER, true));
      case CLOSE:
        return stream?.end(why(data.byteLength > HEADER ? view.getUint8(HEADER) : 1));
    }
  }
}

/** A single socket with a separate WebSocket. */
export async function connect(
  url: string | URL,
  host: string,
  port: number,
  options: ConnectOptions = {},
): Promise<Socket> {
  const sockets = await Sockets.open(url, options.signal ? { signal: options.signal } : {});
  try {
    const socket = await sockets.connect(host, port, options);
    const over = (): void => sockets.close();
    socket.closed.then(over, over);
    return socket;
  } catch (error) {
    sockets.close();
    throw error;
  }
}

class Stream implements Socket {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
  readonly closed: Promise<void>;
  readonly opened: Promise<void>;
  /** Says that it is connected. */
  open!: () => void;
  #refuse!: (error: SocketError) => void;
  #close!: (error?: SocketError) => void;
  #incoming!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #outgoing!: WritableStreamDefaultController;
  #waiting: (() => void) | undefined;
  #isOver = false;
  /** Why what is still to be written goes nowhere. */
  #end = new SocketError("closed", "the socket is closed");
  /** Chunks that are being written. */
  #writing = 0;
  #isClosing = false;
  readonly #ws: WebSocket;
  readonly #number: number;
  readonly #isDatagrams: boolean;
  #credit: number;
  readonly #unread: number;
  readonly #forget: () => void;

  constructor(
    ws: WebSocket,
    number: number,
    isDatagrams: boolean,
    credit: number,
    unread: number,
    forget: () => void,
  ) {
    this.#ws = ws;
    this.#number = number;
    this.#isDatagrams = isDatagrams;
    this.#credit = credit;
    this.#unread = unread;
    this.#forget = forget;
    this.opened = new Promise((resolve, reject) => ([this.open, this.#refuse] = [resolve, reject]));
    this.closed = new Promise((resolve, reject) => {
      this.#close = (error) => (error ? reject(error) : resolve());
    });
    // A caller that doesn't ask isn't told.
    this.opened.catch(() => {});
    this.closed.catch(() => {});
    this.readable = new ReadableStream(
      { start: (controller) => void (this.#incoming = controller), cancel: () => this.close() },
      { highWaterMark: unread, size: (bytes) => bytes.byteLength + 1 },
    );
    this.writable = new WritableStream(
      {
        start: (controller) => void (this.#outgoing = controller),
        write: (bytes) => this.#write(bytes),
        abort: () => this.close(),
      },
      { highWaterMark: CHUNK, size: (bytes) => bytes.byteLength },
    );
  }

  close(): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.#settle();
  }

  /** The server has no more of it, with an error if that is none of the destination's doing. */
  end(error?: SocketError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end = error ?? new SocketError("closed", "the destination has ended");
    this.#forget();
    this.#waiting?.();
    if (error) {
      this.#refuse(error);
      attempt(() => this.#incoming.error(error));
    } else {
      // It was there, and has ended.
      this.open();
      attempt(() => this.#incoming.close());
    }
    attempt(() => this.#outgoing.error(this.#end));
    this.#close(error);
  }

  /** We have had enough. */
  fail(error: SocketError): void {
    if (this.#isOver) return;
    this.#say(CLOSE, [2]);
    this.end(error);
  }

  take(bytes: Uint8Array<ArrayBuffer>): void {
    this.open();
    if (this.#isOver || this.#isClosing) return;
    this.#incoming.enqueue(bytes);
    if ((this.#incoming.desiredSize ?? 0) < 0) {
      this.fail(new SocketError("unread", `more than ${this.#unread} bytes arrived and were not read`));
    }
  }

  grant(packets: number): void {
    this.#credit = packets;
    this.open();
    this.#waiting?.();
  }

  /** Closes it unless a chunk that was written before comes next: a stream hands them over one by one. */
  #settle(): void {
    setTimeout(() => {
      if (this.#writing > 0 || this.#isOver) return;
      this.#say(CLOSE, [2]);
      this.end();
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#writing++;
    try {
      if (this.#isDatagrams) {
        await this.#room();
        return this.#data(bytes);
      }
      for (let at = 0; at < bytes.byteLength; at += CHUNK) {
        while (!this.#isOver && this.#credit <= 0) {
          await new Promise<void>((resolve) => (this.#waiting = resolve));
        }
        await this.#room();
        this.#credit--;
        this.#data(bytes.subarray(at, at + CHUNK));
      }
    } finally {
      this.#writing--;
      if (this.#isClosing) this.#settle();
    }
  }

  /** Waits while the browser has more than enough to send; nothing tells when that is over. */
  async #room(): Promise<void> {
    while (!this.#isOver && this.#ws.bufferedAmount > BUFFERED) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** A chunk that is dropped is no success: a stream takes the end of `#write` for one. */
  #data(bytes: Uint8Array): void {
    if (this.#isOver || this.#ws.readyState !== WebSocket.OPEN) throw this.#end;
    this.#say(DATA, bytes);
  }

  #say(kind: number, payload: ArrayLike<number>): void {
    if (!this.#isOver && this.#ws.readyState === WebSocket.OPEN) {
      this.#ws.send(packet(kind, this.#number, payload));
    }
  }
}

interface Greeted {
  ws: WebSocket;
  credit: number;
  confirms: boolean;
}

/** Opens a WebSocket, and waits until the server has said how much may be sent. */
function greet(url: string | URL, subprotocols: string[], signal?: AbortSignal): Promise<Greeted> {
  if (signal?.aborted) return Promise.reject(new SocketError("aborted", "it was given up"));
  return new Promise((resolve, reject) => {
    let ws: WebSocket;
    try {
      ws = new WebSocket(url, subprotocols);
    } catch (error) {
      return reject(new SocketError("invalid", error instanceof Error ? error.message : String(error)));
    }
    ws.binaryType = "arraybuffer";
    let confirms = false;
    const fail = (error: SocketError): void => {
      signal?.removeEventListener("abort", abort);
      ws.onclose = ws.onerror = ws.onmessage = null;
      ws.close();
      reject(error);
    };
    const abort = (): void => fail(new SocketError("aborted", "it was given up"));
    signal?.addEventListener("abort", abort, { once: true });
    ws.onclose = ({ code, reason }) => fail(lost(code, reason));
    // Browsers tell of a close in the same task. Some versions of Node.js don't, where nothing answers.
    ws.onerror = () => setTimeout(() => fail(lost(1006, "")));
    ws.onmessage = ({ data }) => {
      const view = data instanceof ArrayBuffer && data.byteLength >= HEADER + 2 && new DataView(data);
      if (view && view.getUint8(0) === INFO) {
        const offered = extensions(view);
        confirms = offered.includes(CONFIRMATION);
        const ours = [UDP, CONFIRMATION].filter((id) => offered.includes(id));
        ws.send(packet(INFO, 0, [2, 0, ...ours.flatMap((id) => [id, 0, 0, 0, 0])]));
      } else if (view && view.getUint8(0) === CONTINUE && view.byteLength >= HEADER + 4) {
        signal?.removeEventListener("abort", abort);
        ws.onerror = null;
        resolve({ ws, credit: view.getUint32(HEADER, true), confirms });
      } else {
        fail(new SocketError("protocol", "the server does not speak Wisp"));
      }
    };
  });
}

/** The numbers of the extensions in an INFO. */
function extensions(view: DataView): number[] {
  const found = [];
  for (let at = HEADER + 2; at + 5 <= view.byteLength; at += 5 + view.getUint32(at + 1, true)) {
    found.push(view.getUint8(at));
  }
  return found;
}

function packet(kind: number, stream: number, payload: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER + payload.length);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, stream, true);
  bytes.set(payload, HEADER);
  return bytes;
}

/** What a reason to close says; nothing for one that is no failure. */
function why(reason: number): SocketError | undefined {
  const [code, words] = REASONS[reason] ?? (["lost", `it was closed for the reason ${reason}`] as const);
  return reason === 2 ? undefined : new SocketError(code, words, reason);
}

function lost(code: number, reason: string): SocketError {
  return new SocketError("closed", `the WebSocket was closed: ${reason || `code ${code}`}`);
}

/** Streams that are over already have nothing to be told. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // As above.
  }
}

const REASONS: Readonly<Record<number, readonly [Code, string]>> = {
  0x01: ["lost", "it was closed for no known reason"],
  0x02: ["closed", "it was closed"],
  0x03: ["lost", "the network failed"],
  0x41: ["invalid", "the destination means nothing"],
  0x42: ["unreachable", "the host can't be reached, or its name is unknown"],
  0x43: ["timeout", "the destination did not answer in time"],
  0x44: ["refused", "the destination refused the connection"],
  0x47: ["timeout", "nothing moved for too long"],
  0x48: ["blocked", "this destination is not allowed"],
  0x49: ["throttled", "a limit of the server is reached"],
};

const [CONNECT, DATA, CONTINUE, CLOSE, INFO] = [1, 2, 3, 4, 5];
/** Extensions of version 2: streams of UDP, and a word when a stream is connected. */
const [UDP, CONFIRMATION] = [1, 5];
/** The kind of a packet, and the number of its stream. */
const HEADER = 5;
/** A packet: the server keeps 64 of them for a socket that is slow. */
const CHUNK = 8192;
/** What the browser may keep for the WebSocket. */
const BUFFERED = 1 << 20;
const UNREAD = 16 << 20;
