import { expect, test } from "vitest";
import { command, type Pressed } from "../src/ui/keys.ts";

const none: Pressed = { key: "", code: "", ctrlKey: false, shiftKey: false, altKey: false, metaKey: false };
const ctrl = (key: string, more: Partial<Pressed> = {}): Pressed => ({ ...none, key, ctrlKey: true, ...more });

test("Ctrl alone is the terminal's, but for the font size", () => {
  for (const key of ["c", "v", "f", "l", "_"]) expect(command(ctrl(key), false)).toBeNull();
  expect(command(ctrl("+"), false)).toBe("larger");
  expect(command(ctrl("="), false)).toBe("larger");
  expect(command(ctrl("-"), false)).toBe("smaller");
  expect(command(ctrl("0"), false)).toBe("usual");
});

test("Ctrl+Shift is the page's", () => {
  expect(command(ctrl("C", { shiftKey: true }), false)).toBe("copy");
  expect(command(ctrl("V", { shiftKey: true }), false)).toBe("paste");
  expect(command(ctrl("F", { shiftKey: true }), false)).toBe("search");
  expect(command(ctrl("_", { shiftKey: true }), false)).toBeNull();
});

test("letters by position where the keyboard isn't Latin", () => {
  expect(command(ctrl("С", { shiftKey: true, code: "KeyC" }), false)).toBe("copy");
});

test("AltGr types characters", () => {
  expect(command(ctrl("+", { altKey: true }), false)).toBeNull();
});

test("a Mac's font size and search are Cmd's", () => {
  expect(command({ ...none, key: "+", metaKey: true }, true)).toBe("larger");
  expect(command({ ...none, key: "f", metaKey: true }, true)).toBe("search");
  expect(command(ctrl("-"), true)).toBeNull();
});
