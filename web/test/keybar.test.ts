import { expect, test } from "vitest";
import { controlled } from "../src/ui/keybar.ts";

test("characters with Ctrl are what terminals send", () => {
  expect(["c", "C", "[", "_", "@", " ", "?", "1", "ü"].map(controlled)).toEqual([
    "\x03", "\x03", "\x1b", "\x1f", "\0", "\0", "\x7f", "1", "ü",
  ]);
});
