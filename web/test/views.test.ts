import { describe, expect, test } from "vitest";
import { History, MOST_BYTES, MOST_ENTRIES } from "../src/console/history.ts";
import { log } from "../src/console/log.ts";
import { Shown } from "../src/console/shown.ts";
import { Lines } from "../src/lines.ts";
import { fromHex, hexDump, jsonOf, line, shown, size, textOf } from "../src/views/content.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

describe("what a message has", () => {
  test.each([
    ["a line\r\n", true, "a line␍⏎"],
    ["\x1b[31m\u202e", true, "␛[31m\\u{202e}"],
    ["Grüße", false, "Grüße"],
  ])("%j on a line", (text, isText, expected) => {
    expect(line(utf8(text), isText)).toBe(expected);
  });

  test("text that is cut on a line is cut between characters", () => {
    for (const character of ["ü", "€", "😀"]) {
      for (let before = 0; before < 4; before++) {
        const cut = line(utf8("a".repeat(before) + character.repeat(2000)), false);
        expect(cut).toMatch(new RegExp(`^a{${before}}(${character})+…$`, "u"));
      }
    }
    // What is no text isn't because of the cut.
    expect(line(new Uint8Array(2000).fill(0xff), false)).toMatch(/^ff ff/);
  });

  test("what can't be seen in a name is made visible, and it has a length", () => {
    expect(shown("a/\u202egpj.exe\0")).toBe("a/\\u{202e}gpj.exe␀");
    expect(shown("x".repeat(65_000))).toHaveLength(401);
  });

  test("bytes that are no text are in hex", () => {
    expect(line(new Uint8Array([0, 255, 16]), false)).toBe("00 ff 10");
    expect(textOf(new Uint8Array([0x61, 0xff]))).toBeNull();
    expect(hexDump(new Uint8Array([0x41, 0x00, 0xff]))).toBe(
      "00000000  41 00 ff                                          |A..|",
    );
  });

  test("JSON is an object or a list", () => {
    expect(jsonOf(utf8(' {"a":[1]} '))).toEqual({ a: [1] });
    for (const none of ["3", '"text"', "{", "", "[".repeat(100_000)]) expect(jsonOf(utf8(none))).toBeUndefined();
  });

  test("hex is read as people write it", () => {
    for (const typed of ["de ad", "DEAD", "0xde, 0xad", "de:ad", "de-ad"]) {
      expect(fromHex(typed)).toEqual(new Uint8Array([0xde, 0xad]));
    }
    expect(fromHex("")).toEqual(new Uint8Array());
    expect(fromHex("d")).toMatch(/one digit/);
    expect(fromHex("hello")).toMatch(/in hex/);
  });

  test.each([[0, "0 B"], [999, "999 B"], [1500, "1.5 kB"], [65_507, "66 kB"], [12_000_000, "12 MB"]])("%d bytes", (bytes, said) => {
    expect(size(bytes)).toBe(said);
  });
});

describe("the history", () => {
  test("is bounded by count", () => {
    const history = new History();
    let gone = 0;
    for (let at = 0; at < MOST_ENTRIES + 30_000; at++) gone += history.add("in", utf8(`${at}`), true, at);
    expect([history.length, gone]).toEqual([MOST_ENTRIES, 30_000]);
    expect(history.at(0)?.number).toBe(30_000);
    expect(history.numbered(29_999)).toBeUndefined();
    expect(history.numbered(30_001)?.at).toBe(30_001);
  });

  test("is bounded by bytes, and keeps the newest however large", () => {
    const history = new History();
    for (let at = 0; at < 40; at++) history.add("in", new Uint8Array(1024 * 1024), false);
    expect(history.payload).toBeLessThanOrEqual(MOST_BYTES);
    expect(history.length).toBe(32);
    history.add("in", new Uint8Array(MOST_BYTES + 1), false);
    expect(history.length).toBe(1);
  });

  test("counts messages, and nothing that is said between them", () => {
    const history = new History();
    history.add("in", utf8("four"), true);
    history.add("err", utf8("a warning"), true);
    history.add("note", utf8("exit status 3"), true);
    history.add("out", utf8("three"), true);
    expect([history.length, history.messages, history.payload]).toEqual([4, 2, 9]);
    history.add("in", new Uint8Array(MOST_BYTES), false);
    expect([history.length, history.messages, history.payload]).toEqual([1, 1, MOST_BYTES]);
    history.clear();
    expect([history.length, history.messages, history.payload]).toEqual([0, 0, 0]);
  });

  test("is saved as lines of JSON", () => {
    const history = new History();
    history.add("in", utf8('say "hi"'), true, 0);
    history.add("out", new Uint8Array([0xff]), false, 1);
    const lines = log(history).map((piece) => JSON.parse(new TextDecoder().decode(piece)) as unknown);
    expect(lines).toEqual([
      { time: "1970-01-01T00:00:00.000Z", kind: "in", type: "text", data: 'say "hi"' },
      { time: "1970-01-01T00:00:00.001Z", kind: "out", type: "binary", base64: "/w==" },
    ]);
  });
});

describe("what is listed", () => {
  const listed = (shown: Shown): string[] =>
    Array.from({ length: shown.length }, (_, at) => new TextDecoder().decode(shown.at(at)?.bytes));

  test("a filter takes what there is and what comes", () => {
    const history = new History();
    const shown = new Shown(history);
    const add = (text: string): number => shown.added(history.add("in", utf8(text), true));
    add("Apple");
    add("pear");
    shown.filter("app", "all");
    expect(listed(shown)).toEqual(["Apple"]);
    add("APPLE pie");
    add("plum");
    expect(listed(shown)).toEqual(["Apple", "APPLE pie"]);
    shown.filter("", "out");
    expect(listed(shown)).toEqual([]);
    shown.filter("", "all");
    expect(shown.length).toBe(4);
  });

  test("a pause holds what comes back, and forgets nothing", () => {
    const history = new History();
    const shown = new Shown(history);
    const add = (text: string): number => shown.added(history.add("in", utf8(text), true));
    add("one");
    shown.pause(true);
    add("two");
    expect([listed(shown), shown.held]).toEqual([["one"], 1]);
    shown.filter("o", "all");
    expect(listed(shown)).toEqual(["one"]);
    shown.pause(false);
    expect(listed(shown)).toEqual(["one", "two"]);
  });

  test("what the bound drops leaves the filtered list, too", () => {
    const history = new History();
    const shown = new Shown(history);
    shown.filter("1", "all");
    let dropped = 0;
    for (let at = 0; at < MOST_ENTRIES + 2; at++) dropped += shown.added(history.add("in", utf8(`${at % 2}`), true));
    expect([shown.length, dropped]).toEqual([MOST_ENTRIES / 2, 1]);
    expect(new TextDecoder().decode(shown.at(0)?.bytes)).toBe("1");
  });
});

test("a line typed in the terminal is one message", () => {
  const lines = new Lines();
  expect(lines.typed("hel")).toEqual([]);
  expect(lines.typed("x\x7flo\rnext")).toEqual(["hello"]);
  expect(lines.typed("\r\r")).toEqual(["next", ""]);
});
