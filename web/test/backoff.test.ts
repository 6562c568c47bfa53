import { expect, test } from "vitest";
import { Backoff } from "../src/wire/backoff.ts";

test("one second, half as much again, thirty at most", () => {
  const backoff = new Backoff(() => 0);
  const waits = Array.from({ length: 11 }, () => backoff.next());
  expect(waits).toEqual([1000, 1500, 2250, 3375, 5063, 7594, 11391, 17086, 25629, 30000, 30000]);
});

test("a fifth more at most", () => {
  expect(new Backoff(() => 0.999_999).next()).toBe(1200);
});

test("begins again after a success", () => {
  const backoff = new Backoff(() => 0);
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(1000);
});

test("stays finite for as long as a page is open", () => {
  const backoff = new Backoff(() => 0);
  for (let attempt = 0; attempt < 5000; attempt += 1) backoff.next();
  expect(backoff.next()).toBe(30_000);
});
