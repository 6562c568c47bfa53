import { expect, test } from "vitest";
import { hasLines, pasteable } from "../src/ui/clipboard.ts";

test("a paste can't end its own brackets", () => {
  expect(pasteable("a\x1b[201~rm\t\r\nb\x03\x7f")).toBe("a[201~rm\t\r\nb");
  expect(pasteable("ü漢👍")).toBe("ü漢👍");
});

test("any line end is one", () => {
  expect(["a", "a\n", "a\rb", "\r\n"].map(hasLines)).toEqual([false, true, true, true]);
});
