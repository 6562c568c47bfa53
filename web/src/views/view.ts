// The interface between the page and a view of messages. The views' code is loaded only when one is shown.

export interface Host {
  /// Sends one message.
  send(bytes: Uint8Array<ArrayBuffer>, text: boolean): void;
  /// Bytes that were sent and are still in this browser.
  readonly waiting: number;
  connect(): void;
  /// Ends the session. `words` say why, if it wasn't the user's wish.
  disconnect(words?: string): void;
  /// Gives the user a file.
  save(pieces: readonly Uint8Array[], name: string): void;
  /// Puts text in the clipboard.
  copy(text: string): void;
  /// The session's name, for names of files.
  readonly title: string;
}

export interface View {
  readonly place: HTMLElement;
  /// A session has begun, or has ended.
  connected(on: boolean): void;
  received(bytes: Uint8Array<ArrayBuffer>, text: boolean): void;
  /// A line of a program's standard error.
  stderr(line: string): void;
  /// Reports an event of the session, in words.
  note(words: string): void;
  /// CSS pixels.
  fontSize(pixels: number): void;
  focus(): void;
  search(): void;
  /// All that is listed, as text: for tests.
  text(): string;
}

/// The exports of a view's chunk.
export interface Module {
  open(host: Host): View;
}
