// Echo by the page, for when the far side doesn't (RFC 857): typed text, as it should look.

/// Returns the text to show for typed text: printable characters, Enter as CR LF, Backspace as a rub-out of a
/// character that was typed on this line. Other control characters and escape sequences (arrows, the terminal's own
/// answers) are sent but not shown.
export class LocalEcho {
  /// Columns of each character typed on this line.
  #line: number[] = [];

  typed(text: string): string {
    if (text.startsWith("\x1b")) return "";
    let shown = "";
    for (const segment of PLAIN.test(text) ? text : segments(text)) {
      if (segment === "\r" || segment === "\n" || segment === "\r\n") {
        this.#line = [];
        shown += "\r\n";
      } else if (segment === "\x7f" || segment === "\b") {
        shown += "\b \b".repeat(this.#line.pop() ?? 0);
      } else if (!CONTROL.test(segment)) {
        this.#line.push(WIDE.test(segment) ? 2 : 1);
        shown += segment;
      }
    }
    return shown;
  }

  /// The far side echoes from here on, or another session began.
  forget(): void {
    this.#line = [];
  }
}

function* segments(text: string): Iterable<string> {
  for (const { segment } of GRAPHEMES.segment(text)) yield segment;
}

/// A character of these is a column, whatever is next to it: pasted text may be megabytes.
const PLAIN = /^[\r\x20-\x7e]*$/;
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const CONTROL = /[\p{Cc}]/u;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
