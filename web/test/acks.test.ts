import { expect, test } from "vitest";
import { Acks } from "../src/acks.ts";

function acks(shown = true) {
  const sent: number[] = [];
  const calls: (() => void)[] = [];
  const clock = { soon: (call: () => void) => void calls.push(call), shown };
  const frame = (): void => calls.splice(0).forEach((call) => call());
  return { acks: new Acks((bytes) => sent.push(bytes), clock), sent, frame };
}

test("once a frame, or at 64 KiB", () => {
  const { acks: page, sent, frame } = acks();
  page.begin(0);
  page.parsed(10);
  frame();
  expect(sent).toEqual([]);
  page.start();
  expect(sent).toEqual([10]);
  page.parsed(20);
  page.parsed(30);
  expect(sent).toEqual([10]);
  frame();
  expect(sent).toEqual([10, 30]);
  page.parsed(30 + 65536);
  expect(sent).toEqual([10, 30, 65566]);
  frame();
  expect(sent.length).toBe(3);
});

test("a hidden tab has no frames", () => {
  const { acks: page, sent } = acks(false);
  page.begin(0);
  page.start();
  page.parsed(1);
  page.parsed(2);
  expect(sent).toEqual([0, 1, 2]);
});

test("each connection is counted from its beginning", () => {
  const { acks: page, sent, frame } = acks();
  page.begin(0);
  page.start();
  page.parsed(100);
  // 50 more have come, and aren't drawn.
  page.begin(150);
  page.start();
  page.parsed(150);
  frame();
  page.parsed(160);
  frame();
  expect(sent).toEqual([0, 0, 10]);
});
