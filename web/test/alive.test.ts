import { expect, test, vi, afterEach, beforeEach } from "vitest";
import { Alive, PATIENCE, QUIET, TICK_MS } from "../src/alive.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function session(): { alive: Alive; said: string[]; ticks: (count: number) => void } {
  const said: string[] = [];
  const alive = new Alive({
    ask: () => said.push("ask"),
    silent: (on) => said.push(on ? "silent" : "heard"),
    lost: () => {
      said.push("lost");
      alive.end();
    },
  });
  alive.begin();
  return { alive, said, ticks: (count) => void vi.advanceTimersByTime(count * TICK_MS) };
}

test("a server that is heard is asked nothing", () => {
  const { alive, said, ticks } = session();
  for (let at = 0; at < 50; at++) {
    ticks(1);
    alive.heard();
  }
  expect(said).toEqual([]);
});

test("one that is silent is asked, and lost if it doesn't answer", () => {
  const { alive, said, ticks } = session();
  ticks(QUIET);
  expect(said).toEqual(["ask"]);
  alive.heard();
  alive.answered();
  ticks(QUIET + PATIENCE - 1);
  expect(said).toEqual(["ask", "ask"]);
  ticks(1);
  expect(said).toEqual(["ask", "ask", "lost"]);
  ticks(100);
  expect(said).toHaveLength(3);
});

test("output counts as an answer for as long as it comes", () => {
  const { alive, said, ticks } = session();
  ticks(QUIET);
  for (let at = 0; at < 20; at++) {
    ticks(PATIENCE - 1);
    alive.heard();
  }
  expect(said).toEqual(["ask"]);
});

test("what was typed may hold up the question: the server is not given up", () => {
  const { alive, said, ticks } = session();
  alive.sent();
  ticks(1);
  expect(said).toEqual(["ask"]);
  ticks(100);
  expect(said).toEqual(["ask", "silent"]);
  alive.heard();
  alive.answered();
  expect(said).toEqual(["ask", "silent", "heard"]);
  // Now all is known to be read.
  ticks(QUIET + PATIENCE);
  expect(said.slice(3)).toEqual(["ask", "lost"]);
});

test("what is typed after the question keeps nobody", () => {
  const { alive, said, ticks } = session();
  alive.wake();
  alive.sent();
  ticks(PATIENCE);
  expect(said).toEqual(["ask", "lost"]);
});

test("after a sleep it is asked, and has as long as ever", () => {
  const { alive, said, ticks } = session();
  // Asked before; the answer waits in the machine while the first timers run.
  ticks(QUIET + PATIENCE - 1);
  vi.setSystemTime(Date.now() + 3_600_000);
  ticks(1);
  expect(said).toEqual(["ask"]);
  ticks(1);
  alive.heard();
  alive.answered();
  vi.setSystemTime(Date.now() + 3_600_000);
  ticks(1);
  expect(said).toEqual(["ask", "ask"]);
  ticks(PATIENCE - 1);
  expect(said.at(-1)).toBe("lost");
});
