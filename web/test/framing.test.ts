import { expect, test } from "vitest";
import { fromBase64, toBase64 } from "../src/wire/base64.ts";
import { framing, V1 } from "../src/wire/framing.ts";

const bytes = new Uint8Array([0, 0x6c, 0xff, 0xf2]);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("endpointforward.v1: binary messages are data, text messages control", () => {
  const wire = framing(V1);
  expect(wire.receive(bytes.buffer)).toEqual({ data: bytes, text: false });
  expect(wire.receive('{"type":"eof"}')).toEqual({ control: { type: "eof" } });
  expect(wire.receive("no message")).toBeNull();
  expect(wire.data(bytes, false)).toEqual([bytes]);
  expect(wire.control({ type: "eof" })).toBe('{"type":"eof"}');
});

test.each(["binary", "", "mqtt"])("subprotocol %j: bytes, and text is shown as it came", (name) => {
  const wire = framing(name);
  expect(wire.receive(bytes.buffer)).toEqual({ data: bytes, text: false });
  expect(wire.receive('{"type":"eof"}')).toEqual({ data: utf8('{"type":"eof"}'), text: true });
  expect(wire.data(bytes, false)).toEqual([bytes]);
  expect(wire.control({ type: "eof" })).toBeNull();
});

test("endpointforward.v1: types of messages are said when they change, to a server that keeps them", () => {
  const wire = framing(V1);
  const on = '{"type":"text","on":true}';
  expect(wire.data(bytes, true), "a stream has no types").toEqual([bytes]);
  wire.receive('{"type":"hello","version":1,"face":"messages"}');
  expect(wire.data(bytes, false)).toEqual([bytes]);
  expect(wire.data(utf8("a") as Uint8Array<ArrayBuffer>, true)).toEqual([on, utf8("a")]);
  expect(wire.data(utf8("b") as Uint8Array<ArrayBuffer>, true)).toEqual([utf8("b")]);
  expect(wire.receive(on)).toEqual({ control: { type: "text", on: true } });
  expect(wire.receive(bytes.buffer)).toEqual({ data: bytes, text: true });
});

test("base64: text both ways; what is no base64 is ignored", () => {
  const wire = framing("base64");
  expect(wire.receive("AGz/8g==")).toEqual({ data: bytes, text: false });
  expect(wire.data(bytes, false)).toEqual(["AGz/8g=="]);
  expect(wire.receive("!")).toBeNull();
  expect(wire.control({ type: "eof" })).toBeNull();
});

test("base64 of more than a call can take arguments", () => {
  const much = Uint8Array.from({ length: 300_001 }, (_, at) => at % 256);
  expect(fromBase64(toBase64(much))).toEqual(much);
});
