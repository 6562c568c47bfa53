// Links in the terminal.

import type { Ask } from "../ui/ask.ts";

/// Opens a link that was clicked. `shown` is false if its text may differ from its target.
export async function follow(url: string, shown: boolean, ask: Ask): Promise<void> {
  if (!/^https?:\/\//i.test(url)) return;
  // As the browser reads it: characters that don't show, or turn text around, are escaped in that.
  if (!URL.canParse(url)) return;
  const { host, href } = new URL(url);
  const sure =
    shown ||
    (await ask.ask({
      title: `Open a link to ${host}?`,
      text: "What it says in the terminal may be something else than where it leads:",
      yes: "Open",
      about: href,
    }));
  if (sure) window.open(href, "_blank", "noopener,noreferrer");
}
