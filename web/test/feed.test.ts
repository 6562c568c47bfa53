import { expect, test } from "vitest";
import { Feed, WINDOW } from "../src/feed.ts";

/// A terminal that parses when it is told to.
class Slow {
  readonly seen: number[] = [];
  readonly pieces: number[] = [];
  #done: (() => void)[] = [];

  write(bytes: Uint8Array, done: () => void): void {
    this.seen.push(...bytes);
    this.pieces.push(bytes.length);
    this.#done.push(done);
  }

  /// The piece that was written first; false if there is none.
  parse(): boolean {
    const done = this.#done.shift();
    done?.();
    return done !== undefined;
  }
}

const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) % 256);

test("everything arrives, in order, and never more than the window is unparsed", () => {
  const slow = new Slow();
  const feed = new Feed(slow);
  const all = numbered(1_000_003);
  for (let at = 0; at < all.length; at += 100_000) feed.data(all.subarray(at, at + 100_000));
  expect(feed.counts.waiting).toBeGreaterThan(0);
  do {
    expect(feed.counts.unparsed).toBeLessThanOrEqual(WINDOW);
  } while (slow.parse());
  expect(slow.seen).toEqual([...all]);
  expect(feed.counts).toEqual({ received: all.length, parsed: all.length, unparsed: 0, waiting: 0 });
});

test("one large message comes in pieces", () => {
  const slow = new Slow();
  new Feed(slow).data(numbered(200_000));
  expect(Math.max(...slow.pieces)).toBeLessThanOrEqual(64 * 1024);
});

test("what is local comes behind what was received, and isn't counted as received or parsed", () => {
  const slow = new Slow();
  const feed = new Feed(slow);
  feed.data(new Uint8Array([65, 66]));
  feed.local("ü");
  while (slow.parse());
  expect(slow.seen).toEqual([65, 66, 0xc3, 0xbc]);
  expect(feed.counts).toMatchObject({ received: 2, parsed: 2, unparsed: 0 });
});

test("many small messages", () => {
  const slow = new Slow();
  const feed = new Feed(slow);
  for (let at = 0; at < 5000; at += 1) feed.data(new Uint8Array([at % 256]));
  while (slow.parse());
  expect(slow.seen).toEqual(Array.from({ length: 5000 }, (_, at) => at % 256));
});

test("the tap sees the server's bytes only", () => {
  const feed = new Feed(new Slow());
  const seen: number[] = [];
  feed.tap = (bytes) => seen.push(...bytes);
  feed.local("x");
  feed.data(new Uint8Array([1, 2]));
  expect(seen).toEqual([1, 2]);
});
