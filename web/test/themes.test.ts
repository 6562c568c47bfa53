// Contrast (WCAG 2) of the colours as programs put them together, without xterm.js's help: see themes.ts.

import { expect, test } from "vitest";
import type { ITheme } from "@xterm/xterm";
import { DARK, LIGHT } from "../src/terminal/themes.ts";

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// 0 to 15, and what is there otherwise.
interface Palette {
  colours: string[];
  fg: string;
  bg: string;
}

function palette(theme: ITheme): Palette {
  const all = theme as Record<string, string>;
  const bright = NAMES.map((name) => `bright${name.charAt(0).toUpperCase()}${name.slice(1)}`);
  const colours = [...NAMES, ...bright].map((name) => all[name] as string);
  return { colours, fg: all["foreground"] as string, bg: all["background"] as string };
}

const words = (text: string): string[] => text.split(" ").map((hex) => `#${hex}`);
/// Their palettes as published.
const VSCODE_DARK: Palette = {
  colours: words(
    "000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5 666666 f14c4c 23d18b f5f543 3b8eea d670d6 29b8db e5e5e5",
  ),
  fg: "#cccccc",
  bg: "#1e1e1e",
};
const VSCODE_LIGHT: Palette = {
  colours: words(
    "000000 cd3131 107c10 949800 0451a5 bc05bc 0598bc 555555 666666 cd3131 14ce14 b5ba00 0451a5 bc05bc 0598bc a5a5a5",
  ),
  fg: "#333333",
  bg: "#ffffff",
};
const SOLARIZED = words(
  "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
);
const SOLARIZED_DARK: Palette = { colours: SOLARIZED, fg: "#839496", bg: "#002b36" };
const SOLARIZED_LIGHT: Palette = { colours: SOLARIZED, fg: "#657b83", bg: "#fdf6e3" };

/// The colours of text that mc, htop, tmux, vim and less write on a colour; `fg` and `bg` are the defaults.
const PAIRS = {
  "mc panel, ls sticky": [7, 4],
  "mc directory": [15, 4],
  "mc header, marked": [11, 4],
  "mc executable": [10, 4],
  "mc graphics": [14, 4],
  "mc archive": [13, 4],
  "mc and htop selected, F keys": [0, 6],
  "mc menu": [15, 6],
  "mc menu, hot key": [11, 6],
  "mc dialog": [0, 7],
  "mc dialog title": [4, 7],
  "mc and vim error": [15, 1],
  "mc error, hot key": [11, 1],
  "mc selected, hot key": [11, 0],
  "htop header, tmux status": [0, 2],
  "tmux message, vim search": [0, 3],
  "text": ["fg", "bg"],
  "less standout": ["bg", "fg"],
  "comment": [8, "bg"],
} as const;

/// Those that others exclude: black and white on cyan leave no room for yellow there; dark blue as a background none for
/// what lies between white and it.
const EXCLUDED = {
  dark: ["mc menu, hot key", "mc error, hot key"],
  light: ["mc archive", "mc menu, hot key"],
};

const channel = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (high + 0.05) / (low + 0.05);
}

const of = ({ colours, fg, bg }: Palette, which: number | "fg" | "bg"): string =>
  which === "fg" ? fg : which === "bg" ? bg : (colours[which] as string);

/// Names of the pairs that are below 4.5:1.
function low(palette: Palette): string[] {
  return Object.entries(PAIRS)
    .filter(([, [text, ground]]) => contrast(of(palette, text), of(palette, ground)) < 4.5)
    .map(([name]) => name);
}

/// How many of the 256 pairs of the sixteen colours are legible.
const legible = ({ colours }: Palette): number =>
  colours.flatMap((text) => colours.filter((ground) => contrast(text, ground) >= 4.5)).length;

test.each([
  ["dark", palette(DARK), [VSCODE_DARK, SOLARIZED_DARK]],
  ["light", palette(LIGHT), [VSCODE_LIGHT, SOLARIZED_LIGHT]],
] as const)("what programs put together can be read: %s", (name, ours, others) => {
  expect(low(ours)).toEqual(EXCLUDED[name]);
  // Nothing vanishes, also of those.
  for (const [text, ground] of Object.values(PAIRS)) {
    expect(contrast(of(ours, text), of(ours, ground))).toBeGreaterThan(3.6);
  }
  for (const other of others) {
    expect(low(ours).length).toBeLessThan(low(other).length);
    expect(legible(ours)).toBeGreaterThan(legible(other));
  }
});

test("no two colours of mc's panel look alike", () => {
  for (const theme of [DARK, LIGHT]) {
    const { colours } = palette(theme);
    const panel = [7, 15, 11, 10, 14, 13].map((at) => colours[at]);
    expect(new Set(panel).size).toBe(panel.length);
  }
});
