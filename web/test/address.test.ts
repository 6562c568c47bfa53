import { describe, expect, test } from "vitest";
import { ownTarget, needsForm, ownUrl, subprotocols, targetInQuery, targetUrl, withSize, type Target } from "../src/wire/address.ts";
import { OFFERED } from "../src/wire/framing.ts";

describe("the page's own address", () => {
  test.each([
    ["http://127.0.0.1:9000/", "ws://127.0.0.1:9000/"],
    ["https://example.org/tools/console/", "wss://example.org/tools/console/"],
    ["http://[::1]:9000/a?x=1&cols=3&rows=4#top", "ws://[::1]:9000/a?x=1"],
    ["https://example.org/a?connect=ws://other/", "wss://example.org/a"],
  ])("%s", (page, url) => {
    expect(ownUrl(page)).toBe(url);
  });

  test("has the size added", () => {
    expect(withSize("ws://h/a?x=1", { cols: 80, rows: 24 })).toBe("ws://h/a?x=1&cols=80&rows=24");
    expect(withSize("ws://h/?cols=1&rows=1", { cols: 80, rows: 24 })).toBe("ws://h/?cols=80&rows=24");
  });

  test("isn't used from a file, or if asked not to", () => {
    expect(needsForm("file:///tmp/index.html")).toBe(true);
    expect(needsForm("http://h/?connect")).toBe(true);
    expect(needsForm("http://h/connect")).toBe(false);
  });
});

describe("the form", () => {
  const target: Target = { host: "h", port: "9000", secure: false, path: "/", subprotocol: "auto" };

  test.each<[Partial<Target>, string]>([
    [{}, "ws://h:9000/"],
    [{ secure: true, port: "" }, "wss://h/"],
    [{ host: " ::1 " }, "ws://[::1]:9000/"],
    [{ host: "[::1]" }, "ws://[::1]:9000/"],
    [{ path: "a/b?c=d#e" }, "ws://h:9000/a/b?c=d"],
    [{ path: "" }, "ws://h:9000/"],
  ])("%j", (change, url) => {
    expect(targetUrl({ ...target, ...change })).toEqual({ url });
  });

  test.each<[Partial<Target>, keyof Target]>([
    [{ host: "" }, "host"],
    [{ host: "ws://h" }, "host"],
    [{ host: "h/path" }, "host"],
    [{ host: "user@h" }, "host"],
    [{ host: "a b" }, "host"],
    [{ host: "1:2:3" }, "host"],
    [{ port: "0" }, "port"],
    [{ port: "65536" }, "port"],
    [{ port: "http" }, "port"],
    [{ port: "-1" }, "port"],
  ])("%j is wrong", (change, wrong) => {
    expect(targetUrl({ ...target, ...change })).toMatchObject({ wrong });
  });

  test("is filled in from the query", () => {
    expect(targetInQuery("http://p/?connect=wss://[::1]:1234/a?b")).toEqual({
      host: "::1",
      port: "1234",
      secure: true,
      path: "/a?b",
    });
    expect(targetInQuery("http://p/?connect=h:1")).toMatchObject({ host: "h", port: "1", secure: false });
    expect(targetInQuery("http://p/?connect=javascript://h/%0aalert(1)")).toEqual({});
    expect(targetInQuery("http://p/?connect")).toEqual({});
  });
});

test("subprotocols to offer", () => {
  expect(subprotocols("auto", OFFERED)).toEqual(OFFERED);
  expect(subprotocols("", OFFERED)).toEqual([]);
  expect(subprotocols("mqtt, mqttv3.1,mqtt", OFFERED)).toEqual(["mqtt", "mqttv3.1"]);
  expect(subprotocols("a/b", OFFERED)).toEqual([]);
});

test("a form begins with where the page comes from", () => {
  expect(ownTarget("http://[::1]:9000/a/?connect&x=1#t")).toEqual({ host: "::1", port: "9000", secure: false, path: "/a/?x=1" });
  expect(ownTarget("https://h/?connect=")).toEqual({ host: "h", port: "", secure: true, path: "/" });
  expect(ownTarget("file:///tmp/index.html")).toEqual({});
});
