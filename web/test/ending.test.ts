import { expect, test } from "vitest";
import { ending } from "../src/wire/ending.ts";

const closed = { code: 1000, reason: "", opened: true };

test("a clean end has its reason and isn't tried again", () => {
  expect(ending({ ...closed, reason: "exit status 3" })).toEqual({ words: "exit status 3", retry: false });
  expect(ending(closed)).toEqual({ words: "closed by the other side", retry: false });
  expect(ending({ ...closed, code: 1005 })).toMatchObject({ retry: false });
});

test("an exit says more than the Close frame, and isn't tried again even if the connection broke", () => {
  expect(ending({ ...closed, code: 1006, exit: { status: 0 } })).toEqual({ words: "exit status 0", retry: false });
  expect(ending({ ...closed, exit: { signal: 15 } }).words).toBe("ended by signal 15 (SIGTERM)");
  expect(ending({ ...closed, exit: { signal: 34 } }).words).toBe("ended by signal 34");
  expect(ending({ ...closed, exit: {}, reason: "gone" }).words).toBe("gone");
});

test("what broke or couldn't be opened is tried again", () => {
  expect(ending({ ...closed, code: 1006 })).toEqual({ words: "connection lost", retry: true });
  expect(ending({ ...closed, code: 1006, opened: false })).toEqual({ words: "could not connect", retry: true });
});

test.each([1001, 1011, 1012, 1013, 1014])("%i is tried again", (code) => {
  expect(ending({ ...closed, code })).toMatchObject({ retry: true });
  expect(ending({ ...closed, code, reason: "connection refused" }).words).toBe("connection refused");
});

test("the name of a code is said in words", () => {
  expect(ending({ ...closed, code: 1001, reason: "going away" }).words).toBe("the server stops or restarts");
});

test.each([1002, 1003, 1007, 1008, 1009, 3000, 4001])("%i isn't", (code) => {
  expect(ending({ ...closed, code }).retry).toBe(false);
});

test("a reason is one line of text", () => {
  expect(ending({ ...closed, reason: "a\r\nb\u202ec\x1b[31m" }).words).toBe("a b c [31m");
});

test("a refusal is said, and tried again where it may be over soon", () => {
  const refused = (code: number, reason = "") => ending({ code, reason, opened: true });
  expect(refused(4503, "there are too many sessions")).toEqual({ words: "there are too many sessions", retry: true });
  expect(refused(4429, "too many")).toEqual({ words: "too many", retry: true });
  expect(refused(4502).retry && refused(4504).retry).toBe(true);
  expect(refused(4500, "there is no such program")).toEqual({ words: "there is no such program", retry: false });
  expect(refused(4403)).toEqual({ words: "refused with status 403", retry: false });
  expect(refused(4000).retry || refused(4600).retry).toBe(false);
});
