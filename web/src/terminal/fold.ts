// Notes of the page's own in the terminal, which breaks lines inside words.

/// Breaks a text between words, for lines of `cols` characters. A longer word is left as it is.
export function fold(text: string, cols: number): string {
  let line = 0;
  return text.replace(/( ?)([^ ]+)/g, (_match, space: string, word: string) => {
    if (line > 0 && line + 1 + word.length > cols) {
      line = word.length;
      return `\r\n${word}`;
    }
    line += space.length + word.length;
    return space + word;
  });
}
