// The fields of the forms, as MQTT.js takes them, and the mistakes in them.

import type { IClientOptions, IClientPublishOptions } from "mqtt";
import { fromHex } from "../views/content.ts";

export type Fields = Record<string, string>;

export const VERSIONS = [["5", "5"], ["4", "3.1.1"], ["3", "3.1"]] as const;
export const QOS = [["0", "QoS 0"], ["1", "QoS 1"], ["2", "QoS 2"]] as const;

type QoS = 0 | 1 | 2;
const qos = (typed: string | undefined): QoS => (typed === "1" ? 1 : typed === "2" ? 2 : 0);

export function connecting(fields: Fields): IClientOptions {
  const { version, client, user, password, willTopic } = fields;
  const protocolVersion = version === "3" ? 3 : version === "4" ? 4 : 5;
  const clean = fields["clean"] === "on";
  return {
    protocolVersion,
    ...(protocolVersion === 3 ? { protocolId: "MQIsdp" } : {}),
    ...(client ? { clientId: client } : {}),
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    clean,
    // A session is kept only where it is told for how long, with MQTT 5.
    ...(protocolVersion === 5 && !clean ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    ...(willTopic
      ? {
          will: {
            topic: willTopic,
            payload: (fields["willPayload"] ?? "") as unknown as Buffer,
            qos: qos(fields["willQos"]),
            retain: fields["willRetain"] === "on",
          },
        }
      : {}),
    reconnectPeriod: 0,
    // MQTT.js pings at every second half of it. In a tab that isn't shown, timers come once a minute: with the usual 60 s,
    // the broker, which waits for half as long again, would have given the client up.
    keepalive: 180,
    // The other timers are in a worker, which the page's policy forbids.
    timerVariant: "native",
    queueQoSZero: false,
  };
}

export interface Publication {
  topic: string;
  bytes: Uint8Array<ArrayBuffer>;
  options: IClientPublishOptions;
}

/// Returns the message to publish, or the mistake in it.
export function publication(fields: Fields, version: number): Publication | string {
  const topic = fields["topic"] ?? "";
  if (topic === "") return "Which topic?";
  if (/[+#\0]/.test(topic)) return "A topic to publish to has no + and no #";
  const typed = fields["payload"] ?? "";
  const bytes = fields["kind"] === "hex" ? fromHex(typed) : new TextEncoder().encode(typed);
  if (typeof bytes === "string") return bytes;
  const options: IClientPublishOptions = { qos: qos(fields["qos"]), retain: fields["retain"] === "on" };
  if (version === 5) {
    const properties = propertiesOf(fields);
    if (typeof properties === "string") return properties;
    if (Object.keys(properties).length > 0) options.properties = properties;
  }
  return { topic, bytes, options };
}

type Properties = NonNullable<IClientPublishOptions["properties"]>;

function propertiesOf(fields: Fields): Properties | string {
  const { contentType, responseTopic, correlation, expiry, userProperties } = fields;
  const properties: Properties = {};
  if (contentType) properties.contentType = contentType;
  if (responseTopic) properties.responseTopic = responseTopic;
  if (correlation) properties.correlationData = new TextEncoder().encode(correlation) as unknown as Buffer;
  if (expiry) {
    const seconds = Number(expiry);
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0xffff_ffff) return "The expiry is a number of seconds";
    properties.messageExpiryInterval = seconds;
  }
  const user: Record<string, string[]> = {};
  for (const line of (userProperties ?? "").split("\n")) {
    if (line.trim() === "") continue;
    const at = line.indexOf("=");
    if (at < 1) return "A user property is a line NAME=VALUE";
    (user[line.slice(0, at).trim()] ??= []).push(line.slice(at + 1).trim());
  }
  if (Object.keys(user).length > 0) properties.userProperties = user;
  return properties;
}

const MOST_PROPERTIES = 50;

/// Properties that a message came with, in words.
export function told(properties: Record<string, unknown> | undefined): string[] {
  if (!properties) return [];
  const words: string[] = [];
  const { contentType, responseTopic, correlationData, messageExpiryInterval, userProperties } = properties;
  if (typeof contentType === "string") words.push(`content type ${contentType}`);
  if (typeof responseTopic === "string") words.push(`response topic ${responseTopic}`);
  if (correlationData instanceof Uint8Array) words.push(`correlation ${new TextDecoder().decode(correlationData)}`);
  if (typeof messageExpiryInterval === "number") words.push(`expires in ${messageExpiryInterval} s`);
  for (const [name, value] of Object.entries((userProperties ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) words.push(`${name}=${String(one)}`);
    // A message may have tens of thousands.
    if (words.length >= MOST_PROPERTIES) return [...words.slice(0, MOST_PROPERTIES), "and more properties"];
  }
  return words;
}
