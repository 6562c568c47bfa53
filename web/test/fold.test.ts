import { describe, expect, it } from "vitest";
import { fold } from "../src/terminal/fold.ts";

describe("notes in the terminal", () => {
  it("are broken between words", () => {
    expect(fold("[exit status 3. Press Enter to reconnect.]", 20)).toBe("[exit status 3.\r\nPress Enter to\r\nreconnect.]");
    expect(fold("1234 6789", 9)).toBe("1234 6789");
    expect(fold("1234 6789", 8)).toBe("1234\r\n6789");
  });

  it("keep a word that is longer than a line", () => {
    expect(fold("see https://term.example/a/long/path now", 12)).toBe("see\r\nhttps://term.example/a/long/path\r\nnow");
    expect(fold("", 12)).toBe("");
  });
});
