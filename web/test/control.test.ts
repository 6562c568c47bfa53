import { describe, expect, test } from "vitest";
import { CONTROL_MAX, encodeControl, parseControl } from "../src/wire/control.ts";

describe("what the server says", () => {
  test.each([
    ['{"type":"hello","version":1,"face":"telnet"}', { type: "hello", version: 1, face: "telnet" }],
    ['{"type":"echo","on":false}', { type: "echo", on: false }],
    ['{"type":"title","text":"a <b>title</b>"}', { type: "title", text: "a <b>title</b>" }],
    ['{"type":"exit","status":3}', { type: "exit", status: 3 }],
    ['{"type":"exit","signal":15}', { type: "exit", signal: 15 }],
    ['{"type":"eof"}', { type: "eof" }],
    [
      '{"type":"line","baud":9600,"bits":7,"parity":"E","stop":1.5,"xonxoff":true,"rtscts":false}',
      { type: "line", baud: 9600, bits: 7, parity: "E", stop: 1.5, xonxoff: true, rtscts: false },
    ],
    ['{"type":"modem","cts":true,"dcd":false}', { type: "modem", cts: true, dcd: false }],
  ])("%s", (text, expected) => {
    expect(parseControl(text)).toEqual(expected);
  });

  test("fields that are not known are ignored", () => {
    expect(parseControl('{"type":"eof","later":[1,{"a":null}]}')).toEqual({ type: "eof" });
  });

  test("fields of a wrong type are as if not there", () => {
    expect(parseControl('{"type":"line","baud":"fast","bits":-1,"parity":"Q","stop":1}')).toEqual({
      type: "line",
      stop: 1,
    });
    expect(parseControl('{"type":"exit","status":"3"}')).toEqual({ type: "exit" });
  });

  test("a face of a later version is a plain terminal", () => {
    expect(parseControl('{"type":"hello","version":1,"face":"hologram"}')).toMatchObject({ face: "shell" });
  });

  test.each([
    "",
    "ls -l\r",
    "null",
    "[]",
    "3",
    "{}",
    '{"type":3}',
    '{"type":"ack","bytes":1}',
    '{"type":"__proto__"}',
    '{"type":"echo","on":"yes"}',
    '{"type":"title"}',
    '{"type":"eof"',
  ])("%j is no message", (text) => {
    expect(parseControl(text)).toBeNull();
  });

  test("the limit is in bytes", () => {
    const title = (text: string): string => JSON.stringify({ type: "title", text });
    const room = CONTROL_MAX - title("").length;
    expect(parseControl(title("a".repeat(room)))).not.toBeNull();
    expect(parseControl(title("a".repeat(room + 1)))).toBeNull();
    expect(parseControl(title("ä".repeat(room / 2 + 1)))).toBeNull();
  });
});

test("the type stands first in what the page says", () => {
  expect(encodeControl({ type: "resize", cols: 80, rows: 24 })).toBe('{"type":"resize","cols":80,"rows":24}');
  expect(encodeControl({ type: "break", ms: 250 })).toBe('{"type":"break","ms":250}');
  expect(encodeControl({ type: "line", baud: 9600 })).toBe('{"type":"line","baud":9600}');
});
