// The buttons of the toolbar and of the settings that act on the session or the look.

import type { Session } from "../session.ts";
import type { Store } from "../settings/store.ts";
import { button, dialog, element } from "../ui/dom.ts";
import { goFullScreen, locksKeys } from "../ui/fullscreen.ts";
import type { Command } from "../ui/keys.ts";
import { settingsDialog } from "../ui/settings.ts";
import { isDark } from "../ui/theme.ts";

export interface Deeds {
  run(pressed: Command): void;
  /// Gives the focus back to what is shown.
  focus(): void;
  signOut(): void;
  /// Shows the form that asks where to connect.
  elsewhere(): void;
}

export function toolbar(store: Store, session: Session, deeds: Deeds): void {
  const on = (id: string, act: () => void): void => button(id).addEventListener("click", act);
  const back = (act: () => void) => (): void => {
    act();
    deeds.focus();
  };
  on("larger", back(() => deeds.run("larger")));
  on("smaller", back(() => deeds.run("smaller")));
  on("open-search", () => deeds.run("search"));
  on("theme", back(() => {
    // Always to a look that is seen to be another: from the system's to its opposite first.
    const { theme } = store.settings;
    const other = isDark(theme) ? "light" : "dark";
    store.change({ theme: theme !== "system" && isDark("system") === (other === "dark") ? "system" : other });
  }));
  on("end-input", back(() => {
    session.control({ type: "eof" });
    button("end-input").disabled = true;
  }));
  on("disconnect", () => {
    dialog("settings").close();
    session.disconnect();
  });
  on("sign-out", () => {
    session.disconnect();
    deeds.signOut();
  });
  on("elsewhere", () => {
    dialog("settings").close();
    deeds.elsewhere();
  });
  button("fullscreen").hidden = !document.fullscreenEnabled;
  element("fullscreen-hint", HTMLElement).textContent = !document.fullscreenEnabled
    ? ""
    : locksKeys()
      ? "In full screen they go to the terminal; hold Esc to leave it."
      : "This browser keeps them in full screen, too.";
  on("fullscreen", () => {
    dialog("settings").close();
    void goFullScreen().then(() => deeds.focus());
  });
  settingsDialog(store, () => deeds.focus());
  // Escape leads back to the terminal from anywhere in the toolbar.
  element("toolbar", HTMLElement).addEventListener("keydown", (event) => {
    if (event.key === "Escape") deeds.focus();
  });
}

/// Names the theme on its button.
export function nameTheme(theme: "system" | "light" | "dark"): void {
  const label = `Theme: ${theme === "system" ? "as the system" : theme}`;
  button("theme").ariaLabel = label;
  button("theme").title = label;
}
