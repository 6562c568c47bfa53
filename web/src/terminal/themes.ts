// Colours of the terminal.
//
// Text on a coloured background in mc, htop, tmux and vim is right by itself: white, bright colours and black are
// legible on blue, cyan, red and green. xterm.js would lift the text there by itself (`CONTRAST`), but not in the DOM
// renderer: that takes the first cell of a run for all of it, and leaves out frames, with which the runs of
// these programs begin.
// Text on the default background is left to be lifted: dark blue for vim's comments, say. Some pairs exclude each
// other, such as white and black on cyan; test/themes.test.ts has all pairs, and the results with the themes of others.

import type { ITheme } from "@xterm/xterm";

export const CONTRAST = 4.5;
/// WCAG's level AAA.
export const MORE_CONTRAST = 7;

export const DARK: ITheme = {
  background: "#15191e",
  foreground: "#d8dee6",
  cursor: "#5fd3c4",
  cursorAccent: "#15191e",
  selectionBackground: "#2f5d66",
  selectionInactiveBackground: "#2a3a42",
  scrollbarSliderBackground: "#4b566380",
  scrollbarSliderHoverBackground: "#5d6a79b0",
  scrollbarSliderActiveBackground: "#6f7e8fd0",
  black: "#000000",
  red: "#d8332d",
  green: "#8fce8b",
  yellow: "#e3c16f",
  blue: "#1a459c",
  magenta: "#d29be8",
  cyan: "#008288",
  white: "#cdd4dc",
  brightBlack: "#8a96a5",
  brightRed: "#ff9d95",
  brightGreen: "#aee5a9",
  brightYellow: "#ffe99a",
  brightBlue: "#9cc2ff",
  brightMagenta: "#e6bdf6",
  brightCyan: "#97e4e6",
  brightWhite: "#ffffff",
};

export const LIGHT: ITheme = {
  background: "#fdfdfc",
  foreground: "#22292f",
  cursor: "#0f6b64",
  cursorAccent: "#fdfdfc",
  selectionBackground: "#b9dfdb",
  selectionInactiveBackground: "#d9e6e4",
  scrollbarSliderBackground: "#9aa5ae80",
  scrollbarSliderHoverBackground: "#84919bb0",
  scrollbarSliderActiveBackground: "#6e7b86d0",
  black: "#000000",
  red: "#b3261e",
  green: "#1a8637",
  yellow: "#c79a1e",
  blue: "#1a459c",
  magenta: "#8b3a9e",
  cyan: "#008288",
  white: "#d5dadf",
  brightBlack: "#6b757e",
  brightRed: "#ff8a82",
  brightGreen: "#86e07c",
  brightYellow: "#ffe680",
  brightBlue: "#82b1ff",
  brightMagenta: "#e29cf2",
  brightCyan: "#6fdcdf",
  brightWhite: "#ffffff",
};
