// Light or dark, as chosen or as the system has it.

import type { Store } from "../settings/store.ts";

const system = matchMedia("(prefers-color-scheme: dark)");
const contrast = matchMedia("(forced-colors: active), (prefers-contrast: more)");
const motion = matchMedia("(prefers-reduced-motion: reduce)");

export function isDark(theme: "system" | "light" | "dark"): boolean {
  return theme === "system" ? system.matches : theme === "dark";
}

/// The user wants text to differ more from what is behind it.
export const moreContrast = (): boolean => contrast.matches;

export const reducedMotion = (): boolean => motion.matches;

/// Calls it now and whenever settings or the system change how the page looks.
export function watchLook(store: Store, changed: () => void): void {
  const update = (): void => {
    document.documentElement.dataset["theme"] = isDark(store.settings.theme) ? "dark" : "light";
    changed();
  };
  store.watch(update);
  system.addEventListener("change", update);
  contrast.addEventListener("change", update);
  motion.addEventListener("change", update);
}
