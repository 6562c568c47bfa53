import { describe, expect, test } from "vitest";
import { connecting, publication, told } from "../src/mqtt/options.ts";
import { MOST_LEVELS, MOST_MESSAGES, MOST_TOPICS, Received, type Message } from "../src/mqtt/topics.ts";

const message = (topic: string, text = ""): Message => ({
  at: 0,
  topic,
  bytes: new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>,
  qos: 0,
  retain: false,
  properties: [],
});

describe("the tree of topics", () => {
  test("has each level once, and the latest message", () => {
    const received = new Received();
    received.add(message("home/kitchen/heat", "20"));
    received.add(message("home/kitchen/heat", "21"));
    received.add(message("home", "all"));
    received.add(message("/odd//", "x"));
    const open = received.open().map(({ path, count, latest }) => [path, count, latest && new TextDecoder().decode(latest.bytes)]);
    expect(open).toEqual([
      ["", 1, null],
      ["/odd", 1, null],
      ["/odd/", 1, null],
      ["/odd//", 1, "x"],
      ["home", 3, "all"],
      ["home/kitchen", 2, null],
      ["home/kitchen/heat", 2, "21"],
    ]);
  });

  test("and the list are bounded", () => {
    const received = new Received();
    for (let at = 0; at < MOST_TOPICS + 500; at++) received.add(message(`t${at}`));
    expect([received.open().length, received.left, received.length]).toEqual([MOST_TOPICS, 500, MOST_MESSAGES]);
    expect(received.at(0)?.topic).toBe("t500");
  });

  test("one of as many levels as a topic can have is a few of the tree's", () => {
    const received = new Received();
    const deep = `${"/".repeat(65_000)}end`;
    received.add(message(deep, "x"));
    received.add(message("other"));
    for (let at = 0; at < MOST_LEVELS; at++) for (const topic of received.open()) topic.isOpen = true;
    const open = received.open();
    expect([open.length, received.left]).toEqual([MOST_LEVELS + 1, 0]);
    expect(open.find(({ latest }) => latest !== null)).toMatchObject({ path: deep, depth: MOST_LEVELS - 1 });
  });

  test("is in the order that people count in, whenever a topic came", () => {
    const received = new Received();
    for (const topic of ["b/10", "b/9", "a"]) received.add(message(topic));
    expect(received.open().map(({ path }) => path)).toEqual(["a", "b", "b/9", "b/10"]);
    received.add(message("b/1"));
    expect(received.open().map(({ path }) => path)).toEqual(["a", "b", "b/1", "b/9", "b/10"]);
  });
});

describe("what is typed", () => {
  test("connecting", () => {
    expect(connecting({ version: "3", client: "me", clean: "on" })).toMatchObject({ protocolId: "MQIsdp", clientId: "me", clean: true });
    expect(connecting({ version: "5" })).toMatchObject({ protocolVersion: 5, clean: false, properties: { sessionExpiryInterval: 3600 } });
    expect(connecting({ version: "4", user: "ada", willTopic: "gone", willPayload: "bye", willRetain: "on" })).toMatchObject({
      username: "ada",
      will: { topic: "gone", payload: "bye", qos: 0, retain: true },
    });
  });

  test.each([
    [{ topic: "" }, "Which topic?"],
    [{ topic: "a/#" }, "A topic to publish to has no + and no #"],
    [{ topic: "a", kind: "hex", payload: "x" }, "Binary is written in hex: 68 65 6c 6c 6f"],
    [{ topic: "a", expiry: "soon" }, "The expiry is a number of seconds"],
    [{ topic: "a", userProperties: "name" }, "A user property is a line NAME=VALUE"],
  ])("%j is no publication", (fields, why) => {
    expect(publication(fields as Record<string, string>, 5)).toBe(why);
  });

  test("properties are of MQTT 5 alone", () => {
    const fields = { topic: "a", qos: "1", retain: "on", contentType: "text/plain", userProperties: "k = v\nk=w=x\n" };
    expect(publication(fields, 5)).toMatchObject({
      options: { qos: 1, retain: true, properties: { contentType: "text/plain", userProperties: { k: ["v", "w=x"] } } },
    });
    expect(publication(fields, 4)).toMatchObject({ options: { qos: 1, retain: true } });
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`k${at}`, "v"]));
    expect(told({ userProperties: many })).toHaveLength(51);
    expect(told({ contentType: "text/plain", userProperties: { k: ["v", "w"] } })).toEqual(["content type text/plain", "k=v", "k=w"]);
  });
});
