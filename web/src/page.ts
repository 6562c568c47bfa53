// The page: the user's actions, the session's events, and the terminal between them.
//
//   keys ─> terminal ─> typed() ─> session ─> server
//   server ─> session ─> feed ─> terminal
//
// The parts know nothing of each other; they are tied together here.

import { Acks } from "./acks.ts";
import { FACES, UNTOLD } from "./face.ts";
import { Feed } from "./feed.ts";
import { Clipboard } from "./page/clipboard.ts";
import { expose } from "./page/expose.ts";
import { Way } from "./page/way.ts";
import { Input } from "./page/input.ts";
import { follow } from "./page/link.ts";
import { nameTheme, toolbar } from "./page/toolbar.ts";
import { watchWindow } from "./page/window.ts";
import { SerialView } from "./serialview.ts";
import { Session, type State } from "./session.ts";
import { Store } from "./settings/store.ts";
import { DEFAULTS } from "./settings/settings.ts";
import { fold } from "./terminal/fold.ts";
import type { Look, Terminal } from "./terminal/terminal.ts";
import { openXterm } from "./terminal/xterm.ts";
import { Ask } from "./ui/ask.ts";
import { canRead, copy } from "./ui/clipboard.ts";
import { ConnectForm } from "./ui/connect.ts";
import { button, element } from "./ui/dom.ts";
import { KeyBar } from "./ui/keybar.ts";
import { command, MAC, type Command } from "./ui/keys.ts";
import { Search } from "./ui/search.ts";
import { save } from "./ui/save.ts";
import { Serial } from "./ui/serial.ts";
import { SignIn } from "./ui/signin.ts";
import { Status } from "./ui/status.ts";
import { isDark, moreContrast, reducedMotion, watchLook } from "./ui/theme.ts";
import { Title } from "./ui/title.ts";
import { askedFor, usual, Views } from "./views/views.ts";
import { exitWords } from "./wire/ending.ts";
import { V1 } from "./wire/framing.ts";
import type { Face, FromServer } from "./wire/control.ts";

/// While a window is dragged, programs needn't redraw for every column on the way.
const SETTLE_MS = 60;

/// A job has begun by then.
const PROBE_MS = 600;

export class Page {
  readonly #store = new Store();
  readonly #place = element("terminal", HTMLElement);
  readonly #lamp = element("lamp", HTMLElement);
  readonly #terminal: Terminal;
  readonly #feed: Feed;
  readonly #acks = new Acks((bytes) => this.#session.control({ type: "ack", bytes }));
  readonly #session: Session;
  readonly #input: Input;
  readonly #clipboard: Clipboard;
  readonly #views: Views;
  readonly #title = new Title();
  readonly #ask: Ask;
  readonly #search: Search;
  readonly #serial: Serial;
  readonly #view = new SerialView();
  readonly #status: Status;
  readonly #form: ConnectForm;
  readonly #signIn: SignIn;
  readonly #keyBar: KeyBar;
  readonly #way = new Way();
  #face: Face = UNTOLD;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /// `true` if the state before was `connected`.
  #live = false;
  /// `true` if a job has the terminal, as far as is known.
  #job = false;
  #probing: ReturnType<typeof setTimeout> | undefined;
  /// What the server has told of this session, shown until it ends: other notes pass.
  #told = "";
  /// How many sessions this page has had.
  #sessions = 0;

  constructor() {
    this.#terminal = openXterm(this.#place, this.#look(), {
      input: (text) => this.#typed(text),
      binary: (bytes) => this.#session.send(bytes),
      resized: () => {
        clearTimeout(this.#settling);
        this.#settling = setTimeout(() => this.#tellSize(), SETTLE_MS);
      },
      title: (text) => this.#title.set(text),
      bell: () => this.#bell(),
      selected: () => this.#clipboard.selected(),
      found: (index, count) => this.#search.found(index, count),
      link: (url, shown) => void follow(url, shown, this.#ask),
      clipboard: (text) => void this.#clipboard.asked(text),
      key: (event) => this.#key(event),
    });
    this.#feed = new Feed(this.#terminal);
    this.#feed.onparsed = () => this.#acks.parsed(this.#feed.counts.parsed);
    this.#ask = new Ask(() => this.#focus());
    this.#clipboard = new Clipboard(this.#place, this.#terminal, this.#store, this.#ask, (words) =>
      this.#status.show(this.#session.state, words),
    );
    this.#search = new Search(this.#terminal);
    this.#status = new Status(
      () => this.#connect(),
      () => this.#form.show(true),
    );
    this.#session = new Session({
      address: () => this.#way.address(this.#terminal.size),
      why: (seen) => this.#way.why(seen),
      state: (state) => this.#state(state),
      data: (bytes, text) => {
        if (this.#views.name !== "terminal") return this.#views.received(bytes as Uint8Array<ArrayBuffer>, text);
        if (this.#face === "messages" && text) {
          // A message has no end of a line that a terminal could see.
          this.#feed.data(bytes);
          this.#feed.local("\r\n");
        } else if (this.#face === "serial") this.#feed.data(this.#view.take(bytes), bytes.length);
        else this.#feed.data(bytes);
        this.#probe();
      },
      control: (message) => this.#control(message),
      silent: (on) => this.#status.show(this.#session.state, on ? "the server doesn't answer" : this.#told),
    });
    this.#input = new Input(
      this.#store,
      (bytes, text) => this.#session.send(bytes, text),
      (text) => this.#feed.local(text),
    );
    const { session, title } = { session: this.#session, title: this.#title };
    this.#views = new Views(
      element("main", HTMLElement),
      {
        send: (bytes, text) => session.send(bytes, text),
        get waiting() {
          return session.waiting;
        },
        connect: () => this.#connect(),
        disconnect: (words) => session.disconnect(words),
        save,
        copy: (text) => void copy(text),
        get title() {
          return title.text;
        },
      },
      (bytes) => this.#feed.elsewhere(bytes),
      (words) => this.#status.show(session.state, words),
    );
    this.#serial = new Serial(
      this.#store,
      (message) => this.#session.control(message),
      () => save(this.#view.log, `${this.#title.text.replace(/[^\w.-]+/g, "-")}.log`),
      () => this.#focus(),
    );
    this.#signIn = new SignIn(
      (name, password) => this.#way.signIn(name, password),
      () => this.#connect(),
    );
    this.#form = new ConnectForm((address) => {
      if (address) {
        this.#way.elsewhere(address);
        this.#connect();
      }
      this.#focus();
    });
    this.#lamp.addEventListener("animationend", () => this.#lamp.classList.remove("rings"));
    const terminal = this.#terminal;
    this.#keyBar = new KeyBar(
      {
        type: (text) => terminal.type(text),
        get application() {
          return terminal.applicationKeys;
        },
        paste: () => this.#clipboard.paste(),
        focus: () => terminal.focus(),
      },
      canRead(),
    );
    toolbar(this.#store, this.#session, {
      run: (pressed) => this.#run(pressed),
      focus: () => this.#focus(),
      // Loaded again, so that the next user who signs in doesn't see what is on the screen.
      signOut: () => void this.#way.signOut().then(() => location.reload()),
      elsewhere: () => this.#form.show(true),
    });
    watchWindow(this.#place, {
      runs: () => this.#session.state.kind === "connected" && (this.#job || this.#terminal.alternate),
      search: () => this.#run("search"),
      woke: () => this.#session.wake(),
      shown: () => this.#session.look(),
    });
    watchLook(this.#store, () => this.#relook());
    this.#store.watch(({ fontSize }) => this.#views.fontSize(fontSize));
    this.#store.watch(({ serialNewlines, serialTimestamps, serialHex }) => {
      this.#view.show({ newlines: serialNewlines, timestamps: serialTimestamps, hex: serialHex });
    });
    new ResizeObserver(() => this.#terminal.fit()).observe(this.#place);
    expose(this.#terminal, this.#feed, this.#views);
  }

  start(): void {
    this.#terminal.fit();
    if (this.#way.home(() => this.#connect())) return this.#connect();
    this.#status.show({ kind: "idle" });
    this.#form.show(false);
  }

  // === session ===

  #connect(): void {
    if (!this.#way.isKnown) return this.#form.show(false);
    this.#session.connect();
    this.#focus();
  }

  #focus(): void {
    if (this.#signIn.isShown) this.#signIn.focus();
    else if (this.#views.view) this.#views.view.focus();
    else this.#terminal.focus();
  }

  #state(state: State): void {
    this.#status.show(state);
    const isOut = state.kind === "out";
    // The terminal is covered, and typing goes nowhere.
    this.#place.inert = isOut || this.#views.name !== "terminal";
    for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) part.inert = state.kind !== "connected";
    button("sign-out").hidden = isOut || !this.#way.canSignOut;
    if (isOut) this.#signIn.show(state.words);
    else this.#signIn.hide();
    switch (state.kind) {
      case "connecting":
        break;
      case "connected":
        this.#told = "";
        this.#acks.begin(this.#feed.counts.received);
        // A server of another sort sends nothing first; its subprotocol may tell its face.
        this.#meet(state.subprotocol.startsWith("mqtt") ? "mqtt" : UNTOLD);
        if (state.subprotocol !== V1) this.#choose();
        // The programs of the last session are gone: the note keeps the user from looking for them.
        if (this.#sessions++ > 0) this.#say("[new session]", "new session");
        // Unless the window was resized in the meantime, it has this from the URL; servers that
        // don't look there haven't.
        this.#tellSize();
        break;
      case "waiting":
        if (this.#live) this.#parted(state.words, "; reconnecting begins a new session");
        break;
      case "ended":
        this.#parted(state.words, state.needsLink ? "" : ". Press Enter to reconnect.");
        break;
    }
    this.#views.tell((view) => view.connected(state.kind === "connected"));
    this.#live = state.kind === "connected";
  }

  #tellSize(): void {
    const { cols, rows } = this.#terminal.size;
    this.#session.control({ type: "resize", cols, rows });
  }

  /// A new connection: the last program's changes to the terminal are undone, its output stays.
  #meet(face: Face): void {
    this.#job = false;
    this.#title.set("");
    this.#title.name("", this.#way.host);
    this.#feed.local(this.#terminal.modesOff);
    this.#wear(face);
  }

  #wear(face: Face): void {
    this.#face = face;
    this.#input.wear(face);
    this.#terminal.newlines(FACES[face].newlines);
    this.#view.begin();
    this.#serial.show(face === "serial");
    element("stream-tools", HTMLElement).hidden = face !== "stream" && face !== "messages";
    button("end-input").disabled = false;
    document.documentElement.dataset["face"] = face;
  }

  /// Shows it in the view that is right for the face, or was asked for.
  #choose(): void {
    const { messages } = this.#store.settings;
    const chosen = this.#face === "messages" && messages !== "auto" ? messages : null;
    this.#views.show(askedFor(location.href) ?? chosen ?? usual(this.#face));
    const isTerminal = this.#views.name === "terminal";
    document.documentElement.dataset["view"] = this.#views.name;
    this.#place.inert = !isTerminal;
    this.#views.tell((view) => view.connected(this.#session.state.kind === "connected"));
    const active = document.activeElement;
    // The focus is not taken from a user who types: a session may begin at any time.
    if (this.#views.view && (active === null || active === document.body || active.closest("[inert]"))) this.#focus();
  }

  /// Reports an event of the session, where it is shown.
  #say(words: string, plainly: string): void {
    this.#feed.local(`\x1b[90m${fold(words, this.#terminal.size.cols)}\x1b[0m\r\n`);
    this.#views.tell((view) => view.note(plainly));
  }

  #parted(words: string, then: string): void {
    this.#feed.local(`${this.#terminal.modesOff}\r\n`);
    this.#say(`[${words}${then}]`, words);
  }

  #control(message: FromServer): void {
    switch (message.type) {
      case "hello":
        if (message.ack) this.#acks.start();
        this.#wear(message.face);
        return this.#choose();
      case "text":
        // Framing has made use of it.
        return;
      case "stderr":
        if (this.#views.name !== "terminal") return this.#views.tell((view) => view.stderr(message.text));
        return this.#feed.local(`\x1b[31m${message.text.replace(/\p{Cc}/gu, " ")}\x1b[0m\r\n`);
      case "echo":
        return this.#input.farEcho(message.on);
      case "title":
        return this.#title.name(message.text, this.#way.host);
      case "job":
        this.#job = message.runs;
        return;
      case "line":
        return this.#serial.line(message);
      case "exit":
        // Output may still be on its way, and the end of the session shows it again behind that.
        return this.#note(exitWords(message));
      case "alive":
        // The connection has asked.
        return;
      case "eof":
        return this.#note("the other side sends no more");
      case "modem":
        return this.#serial.modem(message);
    }
  }

  #note(words: string): void {
    this.#told = words;
    this.#status.show(this.#session.state, words);
  }

  /// Asks, after whatever happened, whether a shell has a job.
  #probe(): void {
    if (this.#face !== "shell" || this.#probing !== undefined) return;
    this.#probing = setTimeout(() => {
      this.#probing = undefined;
      this.#session.control({ type: "query", what: "job" });
    }, PROBE_MS);
  }

  // === input ===

  #typed(typed: string): void {
    const text = this.#keyBar.typed(typed);
    const { kind } = this.#session.state;
    this.#probe();
    if (kind === "ended" || kind === "waiting" || kind === "idle") {
      if (text === "\r") this.#connect();
      return;
    }
    // A session that isn't connected reads nothing: the text isn't shown as if it was sent.
    if (kind === "connected") this.#input.typed(text);
  }

  #key(event: KeyboardEvent): boolean {
    const pressed = command(event, MAC);
    if (pressed === null) return true;
    // The browser pastes by itself, without asking for leave, and the paste event comes here.
    if (pressed === "paste") return false;
    event.preventDefault();
    if (event.type === "keydown") this.#run(pressed);
    return false;
  }

  #run(pressed: Command): void {
    switch (pressed) {
      case "copy":
        return this.#clipboard.copy();
      case "paste":
        return;
      case "search":
        if (this.#views.view) return this.#views.view.search();
        return this.#search.open();
      case "toolbar":
        return button("open-settings").focus();
      case "larger":
        return this.#store.change({ fontSize: this.#store.settings.fontSize + 1 });
      case "smaller":
        return this.#store.change({ fontSize: this.#store.settings.fontSize - 1 });
      case "usual":
        return this.#store.change({ fontSize: DEFAULTS.fontSize });
    }
  }

  // === look ===

  #look(): Look {
    const { theme, fontSize, cursorBlink, scrollback, screenReader, optionIsMeta } = this.#store.settings;
    return {
      fontSize,
      scrollback,
      screenReader,
      optionIsMeta,
      dark: isDark(theme),
      contrast: moreContrast(),
      cursorBlink: cursorBlink && !reducedMotion(),
    };
  }

  #relook(): void {
    this.#terminal.look(this.#look());
    nameTheme(this.#store.settings.theme);
  }

  #bell(): void {
    this.#title.bell();
    // Without motion, no animation ends.
    if (!reducedMotion()) this.#lamp.classList.add("rings");
  }
}
