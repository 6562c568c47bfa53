import { expect, test } from "vitest";
import { LOG_MOST, SerialView, type Shown } from "../src/serialview.ts";

const time = () => new Date(2026, 0, 2, 3, 4, 5, 6);
function view(shown: Partial<Shown>) {
  const made = new SerialView(time);
  made.show({ newlines: "auto", timestamps: false, hex: false, ...shown });
  return (text: string) => new TextDecoder().decode(made.take(new TextEncoder().encode(text)));
}

test("lines that end with LF alone don't staircase", () => {
  const auto = view({});
  expect(auto("a\nb\n")).toBe("a\r\nb\r\n");
  // It knows how a line ends: cursor movements are left alone.
  expect(auto("c\r\nd\n")).toBe("c\r\nd\n");
  const lf = view({ newlines: "lf" });
  expect(lf("a\r") + lf("\nb\n")).toBe("a\r\nb\r\n");
  const cr = view({ newlines: "cr" });
  expect(cr("a\rb\r") + cr("\nc\r") + cr("d")).toBe("a\r\nb\r\nc\r\nd");
  expect(view({ newlines: "as-is" })("a\nb\r")).toBe("a\nb\r");
});

test("how lines end is found out again when it is chosen again", () => {
  const made = new SerialView(time);
  const take = (text: string) => new TextDecoder().decode(made.take(new TextEncoder().encode(text)));
  const shown: Shown = { newlines: "auto", timestamps: false, hex: false };
  made.show(shown);
  expect(take("boot\r\nlinux\n")).toBe("boot\r\nlinux\n");
  made.show({ ...shown, newlines: "lf" });
  made.show(shown);
  expect(take("a\nb\n")).toBe("a\r\nb\r\n");
});

test("the time is before each line, whatever it comes in", () => {
  const stamp = "\x1b[2m03:04:05.006\x1b[22m ";
  const made = view({ timestamps: true });
  expect(made("a") + made("b\r\n") + made("\r\nc")).toBe(`${stamp}ab\r\n\r\n${stamp}c`);
});

test("hex is in rows of 16, and a row ends with a line", () => {
  const made = view({ hex: true });
  expect(made("ab") + made("\n")).toBe(`61 62 0a ${"   ".repeat(13)} ab.\r\n`);
  expect(made("0123456789abcdefg")).toBe(
    "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\r\n67 ",
  );
});

test("a log has the bytes as they came, and a bound", () => {
  const made = new SerialView(time);
  made.show({ newlines: "lf", timestamps: true, hex: true });
  made.take(new TextEncoder().encode("a\n"));
  expect(made.log.map((piece) => new TextDecoder().decode(piece))).toEqual(["a\n"]);
  made.show({ newlines: "as-is", timestamps: false, hex: false });
  // As devices send: a byte at a time.
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at & 0xff);
  for (let at = 0; at < bytes.length; at++) made.take(bytes.subarray(at, at + 1));
  const all = Buffer.concat(made.log);
  expect(all.subarray(2).equals(bytes)).toBe(true);
  expect(made.log.length).toBeLessThan(3);
  for (let count = 0; count < 10; count++) made.take(new Uint8Array(LOG_MOST / 4));
  expect(made.log.reduce((sum, piece) => sum + piece.length, 0)).toBeLessThanOrEqual(LOG_MOST);
});
