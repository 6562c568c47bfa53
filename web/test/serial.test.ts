import { describe, expect, it } from "vitest";
import { refusals } from "../src/ui/serial.ts";

describe("settings that a device refuses", () => {
  it("are named with what it keeps", () => {
    const refused = refusals({ parity: "E", bits: 8 }, { parity: "N", bits: 8, stop: 1 });
    expect(refused).toEqual([{ name: "parity", words: "The device keeps parity N" }]);
  });

  it("do not include a rounded speed, or what it does not report", () => {
    expect(refusals({ baud: 115200, rtscts: true }, { baud: 115108 })).toEqual([]);
    expect(refusals({ baud: 115200 }, { baud: 9600 })).toHaveLength(1);
  });
});
