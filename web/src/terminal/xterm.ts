// The terminal by xterm.js.

import { Terminal as Xterm } from "@xterm/xterm";
import { ClipboardAddon } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon, type ISearchOptions } from "@xterm/addon-search";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import type { Size } from "../wire/address.ts";
import { askingClipboard } from "./osc52.ts";
import { defineStyleElement } from "./styles.ts";
import type { Look, Terminal, TerminalEvents } from "./terminal.ts";
import { CONTRAST, DARK, LIGHT, MORE_CONTRAST } from "./themes.ts";
import { scrollByFinger } from "./touch.ts";

/// Of a line, in heights of the font.
const SPACED = 1.15;

const FONT =
  'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, "DejaVu Sans Mono", "Liberation Mono", Consolas, monospace';

/// Restores, in any state, as more of the last program's output may come before it: the normal screen (on that already,
/// the cursor is where it was just saved), cursor keys, keypad, mouse reports, focus reports, bracketed paste; DECSTR:
/// cursor, insert mode, margins, colours, character sets; and the colours that were defined anew.
const MODES_OFF =
  "\x1b7\x1b[?1049l" +
  "\x1b[?1;66;9;1000;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[!p" +
  ["104", "110", "111", "112"].map((colour) => `\x1b]${colour}\x1b\\`).join("");

export function openXterm(place: HTMLElement, look: Look, events: TerminalEvents): Terminal {
  defineStyleElement();
  const term = new Xterm({
    // Of the search's marks and the grapheme clusters.
    allowProposedApi: true,
    fontFamily: FONT,
    rightClickSelectsWord: false,
    cursorInactiveStyle: "outline",
    // A line for every malformed sequence would be megabytes of console for a binary file.
    logLevel: "off",
    // Links whose text differs from the target (OSC 8).
    linkHandler: { activate: (_event, url) => events.link(url, false) },
    ...options(look),
  });
  const fit = new FitAddon();
  const search = new SearchAddon({ highlightLimit: 2000 });
  term.loadAddon(fit);
  term.loadAddon(search);
  term.loadAddon(new WebLinksAddon((_event, url) => events.link(url, true)));
  term.loadAddon(new ClipboardAddon(undefined, askingClipboard((text) => events.clipboard(text))));
  term.loadAddon(new UnicodeGraphemesAddon());
  term.attachCustomKeyEventHandler((event) => events.key(event));
  term.onData((text) => events.input(text));
  term.onBinary((text) => events.binary(Uint8Array.from(text, (char) => char.charCodeAt(0))));
  term.onResize((size) => events.resized(size));
  term.onTitleChange((text) => events.title(text));
  term.onBell(() => events.bell());
  term.onSelectionChange(() => events.selected());
  search.onDidChangeResults(({ resultIndex, resultCount }) => events.found(resultIndex, resultCount));
  term.open(place);
  term.textarea?.setAttribute("aria-label", "Terminal");

  scrollByFinger(term);
  const webgl = new Webgl(term, (running) => {
    // WebGL draws its own frames, which join at any height; a font's glyphs join at its own height alone.
    term.options.lineHeight = running ? SPACED : 1;
    fit.fit();
  });
  webgl.start();
  let searched = false;
  let dark = look.dark;

  return {
    write: (bytes, done) => term.write(bytes, done),
    fit: () => fit.fit(),
    get size(): Size {
      return { cols: term.cols, rows: term.rows };
    },
    get renderer() {
      return webgl.running ? "webgl" : "dom";
    },
    get mouseTaken() {
      return term.modes.mouseTrackingMode !== "none";
    },
    get bracketedPaste() {
      return term.modes.bracketedPasteMode;
    },
    get alternate() {
      return term.buffer.active.type === "alternate";
    },
    get applicationKeys() {
      return term.modes.applicationCursorKeysMode;
    },
    modesOff: MODES_OFF,
    look(look) {
      dark = look.dark;
      Object.assign(term.options, options(look));
      fit.fit();
    },
    newlines(on) {
      term.options.convertEol = on;
    },
    paste: (text) => term.paste(text),
    type: (text) => term.input(text),
    focus: () => term.focus(),
    get selection() {
      return term.getSelection();
    },
    clearSelection: () => term.clearSelection(),
    selectAll: () => term.selectAll(),
    find(text, { back = false, caseSensitive = false, typing = false }) {
      searched = true;
      const how = { caseSensitive, incremental: typing && !back, decorations: marks(dark) };
      if (back) search.findPrevious(text, how);
      else search.findNext(text, how);
    },
    endFind() {
      if (!searched) return;
      searched = false;
      search.clearDecorations();
      term.clearSelection();
    },
    text() {
      const { active } = term.buffer;
      const lines = Array.from({ length: term.rows }, (_, row) => {
        return active.getLine(active.viewportY + row)?.translateToString(true) ?? "";
      });
      return lines.join("\n").trimEnd();
    },
  };
}

/// The WebGL renderer while the browser has it; xterm.js goes on with its DOM renderer without.
class Webgl {
  readonly #term: Xterm;
  readonly #changed: (running: boolean) => void;
  #addon: WebglAddon | undefined;

  constructor(term: Xterm, changed: (running: boolean) => void) {
    this.#term = term;
    this.#changed = changed;
  }

  get running(): boolean {
    return this.#addon !== undefined;
  }

  start(): void {
    if (!hasGpu()) return;
    let addon: WebglAddon | undefined;
    try {
      addon = new WebglAddon();
      // Contexts are lost when a laptop sleeps or too many tabs have one. Not tried again: where it
      // happened once it happens again, and the other renderer is good enough.
      addon.onContextLoss(() => this.stop());
      this.#term.loadAddon(addon);
      this.#addon = addon;
      this.#changed(true);
    } catch {
      addon?.dispose();
    }
  }

  stop(): void {
    this.#addon?.dispose();
    this.#addon = undefined;
    this.#changed(false);
  }
}

/// Where WebGL is computed by the CPU, as in virtual machines, the DOM renderer is several times faster
/// (20 MB of output in Chromium: 2 s against 7 to 13 s).
function hasGpu(): boolean {
  const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (context === null) return false;
  // Chromium gives a context all the same, so its name has to tell. Elsewhere that needs no extension.
  const named = context.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER;
  const software = SOFTWARE.test(String(context.getParameter(named)));
  // Browsers keep a few contexts only, and this one until it is collected.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !software;
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i;

function options(look: Look) {
  return {
    fontSize: look.fontSize,
    theme: look.dark ? DARK : LIGHT,
    minimumContrastRatio: look.contrast ? MORE_CONTRAST : CONTRAST,
    cursorBlink: look.cursorBlink,
    scrollback: look.scrollback,
    screenReaderMode: look.screenReader,
    macOptionIsMeta: look.optionIsMeta,
  };
}

function marks(dark: boolean): NonNullable<ISearchOptions["decorations"]> {
  return {
    matchBackground: dark ? "#5a4a1c" : "#ffe9a8",
    matchOverviewRuler: "#c9a227",
    // The match is selected as well, and the selection's colour is above this one: the frame isn't.
    activeMatchBackground: dark ? "#8a6a10" : "#ffc83d",
    activeMatchBorder: dark ? "#ffc83d" : "#8a5d00",
    activeMatchColorOverviewRuler: "#e08a00",
  };
}
