// For tests and scripts in the console: the content of the screen, which WebGL draws into a picture, and the amount of
// data. Nothing here can do what the page's own script could not.

import type { Feed } from "../feed.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Views } from "../views/views.ts";

export function expose(terminal: Terminal, feed: Feed, views: Views): void {
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
