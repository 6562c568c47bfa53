// Colours of the terminal. The sixteen have at least 4.5:1 against the background, but for the one
// that is nearly the background by definition; what programs choose is lifted to that by xterm.js.

import type { ITheme } from "@xterm/xterm";

export const CONTRAST = 4.5;

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
  black: "#3b444f",
  red: "#f28b82",
  green: "#8fce8b",
  yellow: "#e3c16f",
  blue: "#82aef5",
  magenta: "#d29be8",
  cyan: "#6fcbd0",
  white: "#cdd4dc",
  brightBlack: "#8a96a5",
  brightRed: "#ffaaa3",
  brightGreen: "#aee5a9",
  brightYellow: "#f5d994",
  brightBlue: "#a8c8ff",
  brightMagenta: "#e6bdf6",
  brightCyan: "#97e4e6",
  brightWhite: "#ffffff",
};

export const LIGHT: ITheme = {
  background: "#fcfcfa",
  foreground: "#22292f",
  cursor: "#0f6b64",
  cursorAccent: "#fcfcfa",
  selectionBackground: "#b9dfdb",
  selectionInactiveBackground: "#d9e6e4",
  scrollbarSliderBackground: "#9aa5ae80",
  scrollbarSliderHoverBackground: "#84919bb0",
  scrollbarSliderActiveBackground: "#6e7b86d0",
  black: "#22292f",
  red: "#b3261e",
  green: "#21702c",
  yellow: "#805500",
  blue: "#1d5fbf",
  magenta: "#8b3a9e",
  cyan: "#0b6b75",
  white: "#5d666e",
  brightBlack: "#626c75",
  brightRed: "#c5332a",
  brightGreen: "#2b7a35",
  brightYellow: "#8a5d00",
  brightBlue: "#2a6acb",
  brightMagenta: "#9a48ad",
  brightCyan: "#16757f",
  brightWhite: "#4a535b",
};
