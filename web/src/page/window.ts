// Events of the window: it is left and comes back, keys are pressed that nothing else takes, a keyboard covers it.

import { dialog } from "../ui/dom.ts";
import { command, MAC } from "../ui/keys.ts";

export interface Watch {
  /// Returns `true` if something runs that leaving would end.
  runs(): boolean;
  search(): void;
  /// The network is back, or the page was frozen and isn't any more.
  woke(): void;
  /// The tab is looked at again.
  shown(): void;
}

/// `place`: the terminal's element.
export function watchWindow(place: HTMLElement, watch: Watch): void {
  addEventListener("beforeunload", (event) => {
    // The browser asks in its own words.
    if (watch.runs()) event.preventDefault();
  });
  addEventListener("online", () => watch.woke());
  // From the browser's cache of pages that were left; their connections are closed there.
  addEventListener("pageshow", ({ persisted }) => persisted && watch.woke());
  document.addEventListener("resume", () => watch.woke());
  document.addEventListener("visibilitychange", () => document.hidden || watch.shown());
  // The search, from wherever the focus is; the terminal has its own way to keys.
  addEventListener("keydown", (event) => {
    const isTerminals = event.target instanceof Node && place.contains(event.target);
    if (event.defaultPrevented || isTerminals || command(event, MAC) !== "search") return;
    event.preventDefault();
    const box = dialog("settings");
    if (!box.open) return watch.search();
    box.addEventListener("close", () => watch.search(), { once: true });
    box.close();
  });
  // Where the keyboard on the screen covers the page instead of making it smaller.
  const { visualViewport } = window;
  visualViewport?.addEventListener("resize", () => {
    const covered = innerHeight - visualViewport.height * visualViewport.scale > 1;
    document.body.style.height = covered ? `${visualViewport.height}px` : "";
  });
}
