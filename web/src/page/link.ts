// Links in the terminal.

import type { Ask } from "../ui/ask.ts";

/// Opens a link that was clicked. `shown` is false if its text may say something else than its target.
export async function follow(url: string, shown: boolean, ask: Ask): Promise<void> {
  if (!/^https?:\/\//i.test(url)) return;
  const sure =
    shown ||
    (await ask.ask({
      title: "Open this link?",
      text: "What it says in the terminal may be something else than where it leads:",
      yes: "Open",
      about: url,
    }));
  if (sure) window.open(url, "_blank", "noopener,noreferrer");
}
