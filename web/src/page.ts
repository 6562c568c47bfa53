// The page: what the user does, what the session says, and the terminal between them.
//
//   keys ─> terminal ─> typed() ─> session ─> server
//   server ─> session ─> feed ─> terminal
//
// The parts know nothing of each other; they are tied together here.

import { Acks } from "./acks.ts";
import { LocalEcho } from "./echo.ts";
import { Lines } from "./lines.ts";
import { FACES, UNTOLD } from "./face.ts";
import { Feed } from "./feed.ts";
import { SerialView } from "./serialview.ts";
import { Session, type Address, type State } from "./session.ts";
import { forget, read as recall, Store, write as keep } from "./settings/store.ts";
import { DEFAULTS } from "./settings/settings.ts";
import type { Look, Terminal } from "./terminal/terminal.ts";
import { openXterm } from "./terminal/xterm.ts";
import { Ask } from "./ui/ask.ts";
import { canRead, copy, hasLines, pasteable, read } from "./ui/clipboard.ts";
import { ConnectForm } from "./ui/connect.ts";
import { button, dialog, element } from "./ui/dom.ts";
import { goFullScreen, locksKeys } from "./ui/fullscreen.ts";
import { KeyBar } from "./ui/keybar.ts";
import { command, type Command } from "./ui/keys.ts";
import { Search } from "./ui/search.ts";
import { save } from "./ui/save.ts";
import { Serial } from "./ui/serial.ts";
import { settingsDialog } from "./ui/settings.ts";
import { SignIn } from "./ui/signin.ts";
import { Status } from "./ui/status.ts";
import { isDark, reducedMotion, watchLook } from "./ui/theme.ts";
import { Title } from "./ui/title.ts";
import { askedFor, usual, Views } from "./views/views.ts";
import { needsForm, ownUrl, withSize } from "./wire/address.ts";
import { exitWords, type Ending } from "./wire/ending.ts";
import { Entrance, TELL, tokenInLink } from "./wire/entrance.ts";
import { OFFERED, V1 } from "./wire/framing.ts";
import type { Face, FromServer } from "./wire/control.ts";

/// While a window is dragged, programs needn't redraw for every column on the way.
const SETTLE_MS = 60;

/// A job has begun by then.
const PROBE_MS = 600;

const ENTERS = { cr: "\r", lf: "\n", crlf: "\r\n" } as const;

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export class Page {
  readonly #store = new Store();
  readonly #place = element("terminal", HTMLElement);
  readonly #terminal: Terminal;
  readonly #feed: Feed;
  readonly #acks = new Acks((bytes) => this.#session.control({ type: "ack", bytes }));
  readonly #session: Session;
  readonly #echo = new LocalEcho();
  readonly #lines = new Lines();
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
  /// null until the form was filled in, on a page that has no server of its own.
  #address: Address | null = null;
  #face: Face = UNTOLD;
  #farEcho = true;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /// Whether the state before was `connected`.
  #live = false;
  /// Whether a job has the terminal, as far as is known.
  #job = false;
  #probing: ReturnType<typeof setTimeout> | undefined;
  /// How many sessions this page has had.
  #sessions = 0;
  /// null where the page came from elsewhere than what it connects to.
  #entrance: Entrance | null = null;

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
      selected: () => this.#selected(),
      found: (index, count) => this.#search.found(index, count),
      link: (url, shown) => void this.#link(url, shown),
      clipboard: (text) => void this.#clipboard(text),
      key: (event) => this.#key(event),
    });
    this.#feed = new Feed(this.#terminal);
    this.#feed.onparsed = () => this.#acks.parsed(this.#feed.counts.parsed);
    this.#ask = new Ask(() => this.#focus());
    this.#search = new Search(this.#terminal);
    this.#status = new Status(
      () => this.#connect(),
      () => this.#form.show(true),
    );
    this.#session = new Session({
      address: () => this.#sized(),
      why: (seen) => this.#why(seen),
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
    });
    const { session, title } = { session: this.#session, title: this.#title };
    this.#views = new Views(
      element("main", HTMLElement),
      {
        send: (bytes, text) => session.send(bytes, text),
        get waiting() {
          return session.waiting;
        },
        connect: () => this.#connect(),
        disconnect: () => session.disconnect(),
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
      async (name, password) => (await this.#entrance?.signIn(name, password)) ?? null,
      () => this.#connect(),
    );
    this.#form = new ConnectForm((address) => {
      if (address) {
        this.#address = address;
        this.#entrance = null;
        this.#connect();
      }
      this.#focus();
    });
    const terminal = this.#terminal;
    this.#keyBar = new KeyBar(
      {
        type: (text) => terminal.type(text),
        get application() {
          return terminal.applicationKeys;
        },
        paste: () => void read().then((text) => this.#paste(text ?? "")),
        focus: () => terminal.focus(),
      },
      canRead(),
    );
    this.#buttons();
    this.#windowEvents();
    this.#clipboardEvents();
    watchLook(this.#store, () => this.#relook());
    this.#store.watch(({ fontSize }) => this.#views.fontSize(fontSize));
    this.#store.watch(({ serialNewlines, serialTimestamps, serialHex }) => {
      this.#view.show({ newlines: serialNewlines, timestamps: serialTimestamps, hex: serialHex });
    });
    new ResizeObserver(() => this.#terminal.fit()).observe(this.#place);
    addEventListener("online", () => this.#session.hurry());
    expose(this.#terminal, this.#feed, this.#views);
  }

  start(): void {
    this.#terminal.fit();
    if (needsForm(location.href)) {
      this.#status.show({ kind: "idle" });
      this.#form.show(false);
    } else {
      this.#address = { url: ownUrl(location.href), protocols: [...OFFERED] };
      this.#entrance = new Entrance(location.href, { read: recall, write: keep, forget }, (url, init) => fetch(url, init));
      this.#takeLink();
      // A link that is pasted over the page's own address loads nothing.
      addEventListener("hashchange", () => {
        if (this.#takeLink()) this.#connect();
      });
      this.#connect();
    }
  }

  /// Takes the token of a link out of sight, and out of the history.
  #takeLink(): boolean {
    const link = tokenInLink(location.href);
    if (link === null) return false;
    history.replaceState(history.state, "", link.rest);
    this.#entrance?.link(link.token);
    return true;
  }

  // === session ===

  #connect(): void {
    if (this.#address === null) return this.#form.show(false);
    this.#session.connect();
    this.#focus();
  }

  #focus(): void {
    if (this.#signIn.isShown) this.#signIn.focus();
    else if (this.#views.view) this.#views.view.focus();
    else this.#terminal.focus();
  }

  async #sized(): Promise<Address | Ending> {
    const entered = (await this.#entrance?.enter()) ?? { tickets: [] };
    if ("words" in entered) return entered;
    const { url, protocols } = this.#address as Address;
    const told = protocols.includes(V1) ? [TELL] : [];
    return {
      url: withSize(url, this.#terminal.size),
      protocols: [...protocols, ...told, ...entered.tickets],
    };
  }

  async #why(seen: Ending): Promise<Ending> {
    if (this.#entrance !== null) return this.#entrance.why();
    if (!seen.retry) return seen;
    const words = "could not connect: nothing answers there, or it doesn't take pages from here (its `origin`)";
    return { words, retry: true };
  }

  #state(state: State): void {
    this.#status.show(state);
    const isOut = state.kind === "out";
    // What it shows is covered, and typing goes nowhere.
    this.#place.inert = isOut || this.#views.name !== "terminal";
    button("sign-out").hidden = isOut || !this.#entrance?.canSignOut;
    if (isOut) this.#signIn.show(state.words);
    else this.#signIn.hide();
    switch (state.kind) {
      case "connecting":
        break;
      case "connected":
        this.#acks.begin(this.#feed.counts.received);
        // A server of another sort says nothing first, unless its subprotocol does.
        this.#meet(state.subprotocol.startsWith("mqtt") ? "mqtt" : UNTOLD);
        if (state.subprotocol !== V1) this.#choose();
        // What was started before is gone: nobody should look for it.
        if (this.#sessions++ > 0) this.#say("[new session]", "new session");
        // Unless the window was resized in the meantime, it has this from the URL; servers that
        // don't look there haven't.
        this.#tellSize();
        break;
      case "waiting":
        if (this.#live) this.#parted(state.words, "; reconnecting begins a new session");
        break;
      case "ended":
        this.#parted(state.words, ". Press Enter to reconnect.");
        break;
    }
    this.#views.tell((view) => view.connected(state.kind === "connected"));
    this.#live = state.kind === "connected";
  }

  #tellSize(): void {
    const { cols, rows } = this.#terminal.size;
    this.#session.control({ type: "resize", cols, rows });
  }

  /// A new connection: what the last program did to the terminal is undone, its output stays.
  #meet(face: Face): void {
    this.#job = false;
    this.#title.set("");
    this.#title.name("", this.#where);
    this.#feed.local(this.#terminal.modesOff);
    this.#wear(face);
  }

  #wear(face: Face): void {
    this.#face = face;
    this.#farEcho = FACES[face].farEcho;
    this.#echo.forget();
    this.#lines.forget();
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
    if (this.#views.view) this.#focus();
  }

  /// Says what happens to the session, where it is shown.
  #say(words: string, plainly: string): void {
    this.#feed.local(`\x1b[90m${words}\x1b[0m\r\n`);
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
        this.#farEcho = message.on;
        return this.#echo.forget();
      case "title":
        return this.#title.name(message.text, this.#where);
      case "job":
        this.#job = message.runs;
        return;
      case "line":
        return this.#serial.line(message);
      case "exit":
        this.#views.tell((view) => view.note(exitWords(message) || "it has ended"));
        return this.#status.show(this.#session.state, exitWords(message));
      case "eof":
        return this.#status.show(this.#session.state, "the other side sends no more");
      case "modem":
        return this.#serial.modem(message);
    }
  }

  /// The host that it is on.
  get #where(): string {
    return this.#address === null ? "" : new URL(this.#address.url).hostname;
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
    if (this.#echoes()) {
      const shown = this.#echo.typed(text);
      if (shown !== "") this.#feed.local(shown);
    }
    if (this.#face === "messages") {
      for (const line of this.#lines.typed(text)) this.#session.send(new TextEncoder().encode(line), true);
      return;
    }
    const enter = this.#face === "serial" ? ENTERS[this.#store.settings.serialEnter] : FACES[this.#face].enter;
    this.#session.send(new TextEncoder().encode(enter === "\r" ? text : text.replaceAll("\r", enter)));
  }

  #echoes(): boolean {
    const { localEcho, serialEcho } = this.#store.settings;
    if (this.#face === "serial") return serialEcho || localEcho === "on";
    return localEcho === "auto" ? !this.#farEcho : localEcho === "on";
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
        return void copy(this.#terminal.selection);
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

  // === clipboard ===

  #clipboardEvents(): void {
    // Before xterm.js has it.
    this.#place.addEventListener(
      "paste",
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        void this.#paste(event.clipboardData?.getData("text/plain") ?? "");
      },
      { capture: true },
    );
    this.#place.addEventListener(
      "contextmenu",
      (event) => {
        if (event.shiftKey || !this.#store.settings.rightClickPaste || !canRead()) return;
        event.preventDefault();
        event.stopPropagation();
        // The program has had the click.
        if (this.#terminal.mouseTaken) return;
        void read().then((text) => this.#paste(text ?? ""));
      },
      { capture: true },
    );
  }

  async #paste(typed: string): Promise<void> {
    const text = pasteable(typed);
    if (text === "") return;
    const runs = hasLines(text) && !this.#terminal.bracketedPaste;
    if (runs && this.#store.settings.pasteWarning) {
      const lines = text.trimEnd().split(/\r\n|\r|\n/).length;
      const sure = await this.#ask.ask({
        title: lines > 1 ? `Paste ${lines} lines?` : "Paste a line with its end?",
        text: "Each line is sent as if Enter was pressed after it.",
        yes: "Paste",
        about: text,
      });
      if (!sure) return;
    }
    this.#terminal.paste(text);
    this.#terminal.focus();
  }

  #selected(): void {
    if (this.#store.settings.copyOnSelect && this.#terminal.selection !== "" && this.#selecting) {
      void copy(this.#terminal.selection);
    }
  }

  /// Not what the search selects.
  get #selecting(): boolean {
    return this.#place.contains(document.activeElement);
  }

  async #clipboard(text: string): Promise<void> {
    const { programClipboard } = this.#store.settings;
    if (programClipboard === "deny") return;
    const sure =
      programClipboard === "allow" ||
      (await this.#ask.ask({
        title: "Put this in the clipboard?",
        text: "A program in the terminal asks for it.",
        yes: "Copy",
        about: text,
      }));
    if (sure) await copy(text);
  }

  async #link(url: string, shown: boolean): Promise<void> {
    if (!/^https?:\/\//i.test(url)) return;
    const sure =
      shown ||
      (await this.#ask.ask({
        title: "Open this link?",
        text: "What it says in the terminal may be something else than where it leads:",
        yes: "Open",
        about: url,
      }));
    if (sure) window.open(url, "_blank", "noopener,noreferrer");
  }

  // === window ===

  #windowEvents(): void {
    addEventListener("beforeunload", (event) => {
      const runs = this.#session.state.kind === "connected" && (this.#job || this.#terminal.alternate);
      // The browser asks in its own words.
      if (runs) event.preventDefault();
    });
    // The search, from wherever the focus is; the terminal has its own way to keys.
    addEventListener("keydown", (event) => {
      const isTerminals = event.target instanceof Node && this.#place.contains(event.target);
      if (event.defaultPrevented || isTerminals || command(event, MAC) !== "search") return;
      event.preventDefault();
      const box = dialog("settings");
      if (!box.open) return this.#run("search");
      box.addEventListener("close", () => this.#run("search"), { once: true });
      box.close();
    });
    // Where the keyboard on the screen covers the page instead of making it smaller.
    const { visualViewport } = window;
    visualViewport?.addEventListener("resize", () => {
      const covered = innerHeight - visualViewport.height * visualViewport.scale > 1;
      document.body.style.height = covered ? `${visualViewport.height}px` : "";
    });
  }

  // === look ===

  #look(): Look {
    const { theme, fontSize, cursorBlink, scrollback, screenReader } = this.#store.settings;
    return {
      fontSize,
      scrollback,
      screenReader,
      dark: isDark(theme),
      cursorBlink: cursorBlink && !reducedMotion(),
    };
  }

  #relook(): void {
    this.#terminal.look(this.#look());
    const { theme } = this.#store.settings;
    const label = `Theme: ${theme === "system" ? "as the system" : theme}`;
    button("theme").ariaLabel = label;
    button("theme").title = label;
  }

  #bell(): void {
    this.#title.bell();
    const lamp = element("lamp", HTMLElement);
    lamp.classList.add("rings");
    lamp.addEventListener("animationend", () => lamp.classList.remove("rings"), { once: true });
  }

  #buttons(): void {
    const on = (id: string, act: () => void): void => button(id).addEventListener("click", act);
    const back = (act: () => void) => (): void => {
      act();
      this.#focus();
    };
    on("larger", back(() => this.#run("larger")));
    on("smaller", back(() => this.#run("smaller")));
    on("open-search", () => this.#run("search"));
    on("theme", back(() => {
      // Always to a look that is seen to be another: from the system's to its opposite first.
      const { theme } = this.#store.settings;
      const other = isDark(theme) ? "light" : "dark";
      this.#store.change({ theme: theme !== "system" && isDark("system") === (other === "dark") ? "system" : other });
    }));
    on("end-input", back(() => {
      this.#session.control({ type: "eof" });
      button("end-input").disabled = true;
    }));
    on("disconnect", () => {
      dialog("settings").close();
      this.#session.disconnect();
    });
    on("sign-out", () => {
      this.#session.disconnect();
      // Loaded again, so that nobody who signs in next sees what is on the screen.
      void this.#entrance?.signOut().then(() => location.reload());
    });
    on("elsewhere", () => {
      dialog("settings").close();
      this.#form.show(true);
    });
    button("fullscreen").hidden = !document.fullscreenEnabled;
    element("fullscreen-hint", HTMLElement).textContent = !document.fullscreenEnabled
      ? ""
      : locksKeys()
        ? "In full screen they go to the terminal; hold Esc to leave it."
        : "This browser keeps them in full screen, too.";
    on("fullscreen", () => {
      dialog("settings").close();
      void goFullScreen().then(() => this.#focus());
    });
    settingsDialog(this.#store, () => this.#focus());
    // Escape leads back to the terminal from anywhere in the toolbar.
    element("toolbar", HTMLElement).addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#focus();
    });
  }
}

/// For tests and scripts in the console: what is on the screen, which WebGL draws into a picture, and
/// how much went through. Nothing here can do what the page's own script could not.
function expose(terminal: Terminal, feed: Feed, views: Views): void {
  Object.assign(window, {
    endpointforward: {
      text: () => views.view?.text() ?? terminal.text(),
      size: () => terminal.size,
      renderer: () => terminal.renderer,
      counts: () => feed.counts,
      tap: (seen: ((bytes: Uint8Array) => void) | undefined) => (feed.tap = seen),
    },
  });
}
