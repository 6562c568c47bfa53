import { expect, test } from "vitest";
import { LocalEcho } from "../src/echo.ts";

const typed = (...keys: string[]): string => {
  const echo = new LocalEcho();
  return keys.map((key) => echo.typed(key)).join("|");
};

test("what is pasted is shown at once, however much it is", () => {
  const echo = new LocalEcho();
  expect(echo.typed("x".repeat(5_000_000))).toHaveLength(5_000_000);
});

test("printable characters and Enter", () => {
  expect(typed("l", "ü", "\r")).toBe("l|ü|\r\n");
});

test("Backspace rubs out what was typed on this line, and no more", () => {
  expect(typed("a", "\x7f", "\x7f")).toBe("a|\b \b|");
  expect(typed("a", "\r", "\x7f")).toBe("a|\r\n|");
  expect(typed("a", "\b")).toBe("a|\b \b");
});

test("a wide character has two columns, a cluster counts once", () => {
  expect(typed("漢", "\x7f")).toBe("漢|\b \b\b \b");
  expect(typed("e\u0301", "\x7f")).toBe("e\u0301|\b \b");
  expect(typed("👍", "\x7f")).toBe("👍|\b \b\b \b");
});

test("control characters and escape sequences aren't shown", () => {
  expect(typed("\x03", "\x1b[A", "\x1b[?1;2c", "\t")).toBe("|||");
});

test("a paste is echoed line by line", () => {
  expect(typed("one\rtwo\r")).toBe("one\r\ntwo\r\n");
});
