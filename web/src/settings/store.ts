// localStorage, which may be switched off, full, or another tab's: then what is chosen lasts as long
// as the page.

import type { Target } from "../wire/address.ts";
import { changed, parseSettings, type Settings } from "./settings.ts";

const SETTINGS = "endpointforward.settings";
const TARGET = "endpointforward.connect";

export class Store {
  #settings: Settings = parseSettings(read(SETTINGS));
  readonly #watchers: ((settings: Settings) => void)[] = [];

  constructor() {
    // Another tab of this page changed them.
    addEventListener("storage", (event) => {
      if (event.key === SETTINGS) this.#set(parseSettings(event.newValue));
    });
  }

  get settings(): Readonly<Settings> {
    return this.#settings;
  }

  change(change: Partial<Record<keyof Settings, unknown>>): void {
    const settings = changed(this.#settings, change);
    write(SETTINGS, JSON.stringify(settings));
    this.#set(settings);
  }

  /// Calls it now and at every change.
  watch(watcher: (settings: Settings) => void): void {
    this.#watchers.push(watcher);
    watcher(this.#settings);
  }

  #set(settings: Settings): void {
    this.#settings = settings;
    for (const watcher of this.#watchers) watcher(settings);
  }
}

export function rememberedTarget(): Target {
  return parseTarget(read(TARGET));
}

export function rememberTarget(target: Target): void {
  write(TARGET, JSON.stringify(target));
}

function parseTarget(text: string | null): Target {
  const target: Target = { host: "127.0.0.1", port: "9000", secure: false, path: "/", subprotocol: "auto" };
  try {
    const found = JSON.parse(text ?? "{}") as Record<string, unknown> | null;
    for (const name of ["host", "port", "path", "subprotocol"] as const) {
      const value = found?.[name];
      if (typeof value === "string") target[name] = value;
    }
    if (typeof found?.["secure"] === "boolean") target.secure = found["secure"];
  } catch {
    // Not ours: the defaults will do.
  }
  return target;
}

export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Kept for as long as the page is open.
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Then nothing was kept.
  }
}
