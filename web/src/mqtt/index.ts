// A broker's topics: connect, subscribe, see, publish. MQTT.js speaks the protocol, over the page's own session.

import mqtt, { type MqttClient } from "mqtt";
import { clock, line, looseText, shown, size } from "../views/content.ts";
import { make, style } from "../views/dom.ts";
import { Payload } from "../views/payload.ts";
import { Rows } from "../views/rows.ts";
import type { Host, View } from "../views/view.ts";
import views from "../views/views.css?inline";
import { connectForm, publishForm, subscribeForm } from "./forms.ts";
import own from "./mqtt.css?inline";
import { connecting, publication, told, type Fields } from "./options.ts";
import { SessionSocket } from "./socket.ts";
import { Received, type Message, type Topic } from "./topics.ts";

export function open(host: Host): View {
  style(views + own);
  return new Mqtt(host);
}

class Mqtt implements View {
  readonly place: HTMLElement;
  readonly #host: Host;
  readonly #received = new Received();
  readonly #payload = new Payload();
  readonly #form: HTMLFormElement;
  readonly #publish: HTMLFormElement;
  readonly #start: HTMLElement;
  readonly #panel: HTMLElement;
  readonly #subscribed = make("div", { class: "subscribed", role: "group", "aria-label": "Subscriptions" });
  readonly #tree: Rows<Topic>;
  readonly #list: Rows<Message>;
  readonly #detail: HTMLElement;
  readonly #heading = make("h2", {});
  readonly #meta = make("span", { class: "count" });
  readonly #count = make("span", { class: "count", role: "status" });
  readonly #empty = make("p", { class: "empty" }, "No message yet.");
  #topics: Topic[] = [];
  #session = false;
  #client: MqttClient | null = null;
  #socket: SessionSocket | null = null;
  /// The connection that was asked for, for as long as it is wanted.
  #wanted: Fields | null = null;
  #filters = new Map<string, 0 | 1 | 2>();
  #looked: Message | null = null;
  /// The topic whose latest message is looked at.
  #followed: Topic | null = null;
  #waits = false;

  constructor(host: Host) {
    this.#host = host;
    this.#form = connectForm((fields) => this.#connect(fields));
    this.#start = make("div", { class: "start" }, this.#form);
    this.#tree = new Rows<Topic>("Topics", (row, topic) => this.#drawTopic(row, topic), (index) => this.#chose(this.#topics[index]));
    this.#tree.list.addEventListener("keydown", (event) => this.#fold(event));
    this.#tree.list.append(this.#empty);
    this.#list = new Rows<Message>("Messages", drawMessage, (index) => {
      this.#followed = null;
      this.#look(this.#received.at(index) ?? null);
    });
    this.#list.list.hidden = true;
    this.#detail = make(
      "section",
      { class: "detail", "aria-label": "The message chosen", hidden: true },
      make(
        "div",
        { class: "tools-row" },
        this.#heading,
        make("span", { class: "spring" }),
        this.#payload.choice,
        make("button", { type: "button", onclick: () => this.#looked && host.copy(looseText(this.#looked.bytes)) }, "Copy"),
      ),
      make("div", { class: "tools-row" }, this.#meta),
      this.#payload.body,
    );
    const which = (label: string, isTree: boolean): HTMLButtonElement =>
      make("button", { type: "button", "aria-pressed": String(isTree), onclick: (event: Event) => this.#turn(event, isTree) }, label);
    this.#publish = publishForm((fields) => this.#say(fields));
    this.#panel = make(
      "div",
      { class: "view", hidden: true },
      subscribeForm((fields) => this.#subscribe(fields["filter"] ?? "", Number(fields["qos"]) as 0 | 1 | 2)),
      make(
        "div",
        { class: "tools-row" },
        make("span", { class: "group which", role: "group", "aria-label": "Shown" }, which("Topics", true), which("Messages", false)),
        this.#subscribed,
        make("span", { class: "spring" }),
        this.#count,
        make("button", { type: "button", onclick: () => this.#clear() }, "Clear"),
        make("button", { type: "button", onclick: () => this.#disconnect() }, "Disconnect"),
      ),
      make("div", { class: "panes" }, this.#tree.list, this.#list.list, this.#detail),
      this.#publish,
    );
    this.place = make("section", { class: "view mqtt", "aria-label": "MQTT" }, this.#start, this.#panel);
    this.#tree.show({ length: 0, at: () => undefined });
    this.#list.show(this.#received);
  }

  // === session ===

  connected(on: boolean): void {
    if (on === this.#session) return;
    this.#session = on;
    if (!on) this.#socket?.ended();
    else if (this.#wanted) this.#begin(this.#wanted);
  }

  received(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket?.receive(bytes);
  }

  stderr(): void {}

  note(words: string): void {
    // An error of the broker's is more than the note that the session ended then.
    const isNews = this.#form.querySelector(".note")?.textContent === "";
    if (this.#panel.hidden && isNews && words !== "new session" && words !== "disconnected") this.#problem(words);
  }

  fontSize(pixels: number): void {
    this.place.style.setProperty("--view-font", `${pixels - 1}px`);
    for (const rows of [this.#tree, this.#list]) rows.height(Math.round((pixels - 1) * 1.7));
  }

  focus(): void {
    const from: HTMLElement = this.#panel.hidden ? this.#form : this.#panel;
    from.querySelector<HTMLElement>("input")?.focus();
  }

  search(): void {
    this.focus();
  }

  text(): string {
    if (this.#panel.hidden) return this.#form.innerText;
    return this.#topics.map(({ path, latest }) => `${path} ${latest ? line(latest.bytes, false) : ""}`.trim()).join("\n");
  }

  // === MQTT ===

  #connect(fields: Fields): void {
    this.#wanted = fields;
    this.#problem("");
    if (this.#session) this.#begin(fields);
    else this.#host.connect();
  }

  #begin(fields: Fields): void {
    const socket = new SessionSocket(this.#host);
    this.#socket = socket;
    const client = mqtt.connect({
      ...connecting(fields),
      protocol: "ws",
      hostname: "session",
      createWebsocket: () => socket,
    });
    this.#client = client;
    const isCurrent = (): boolean => this.#client === client;
    client.on("connect", () => {
      if (!isCurrent()) return;
      this.#show(true);
      const filters = this.#filters.size > 0 ? [...this.#filters] : ([["#", 0]] as [string, 0][]);
      for (const [filter, qos] of filters) this.#subscribe(filter, qos);
    });
    client.on("message", (topic, payload, packet) => {
      this.#add({
        at: Date.now(),
        topic,
        bytes: new Uint8Array(payload),
        qos: packet.qos,
        retain: packet.retain,
        properties: told(packet.properties as Record<string, unknown> | undefined),
      });
    });
    client.on("error", (error) => {
      // A refusal of the broker's has its reason code. Other errors come from parsing, in the terms of the protocol.
      const isReason = typeof (error as { code?: unknown }).code === "number";
      if (isCurrent()) this.#failed(isReason ? error.message : `the broker's answer is not valid MQTT: ${error.message}`);
    });
    client.on("disconnect", (packet) => isCurrent() && this.#failed(`the broker ended it (reason code ${packet.reasonCode})`));
    client.on("close", () => {
      if (!isCurrent()) return;
      this.#client = null;
      this.#show(false);
    });
  }

  /// It isn't tried again: the same would happen.
  #failed(words: string): void {
    this.#wanted = null;
    this.#problem(words);
    if (this.#socket) this.#socket.problem = words;
    this.#client?.end(true);
  }

  #disconnect(): void {
    this.#wanted = null;
    this.#client?.end();
  }

  #subscribe(filter: string, qos: 0 | 1 | 2): void {
    const client = this.#client;
    if (!client || filter === "") return;
    client.subscribe(filter, { qos }, (error, granted) => {
      const refused = granted?.find((one) => one.qos >= 128);
      if (error || refused) return this.#wrong(`The broker refuses “${filter}”${error ? `: ${error.message}` : ""}`);
      this.#filters.set(filter, qos);
      this.#drawSubscriptions();
    });
  }

  #say(fields: Fields): void {
    const client = this.#client;
    if (!client) return;
    const asked = publication(fields, client.options.protocolVersion ?? 4);
    if (typeof asked === "string") return this.#wrong(asked);
    this.#wrong("");
    // MQTT.js has its own Buffer, and takes arrays that are like one.
    client.publish(asked.topic, asked.bytes as unknown as Buffer, asked.options, (error) => {
      if (error) this.#wrong(`It could not be published: ${error.message}`);
    });
  }

  // === what is seen ===

  #show(panel: boolean): void {
    const hadFocus = this.place.contains(document.activeElement);
    this.#panel.hidden = !panel;
    this.#start.hidden = panel;
    if (!panel) this.#filters = this.#wanted ? this.#filters : new Map();
    this.#drawSubscriptions();
    this.#soon();
    if (hadFocus) this.focus();
  }

  #problem(words: string): void {
    const note = this.#form.querySelector(".note");
    if (note) note.textContent = words;
  }

  #wrong(words: string): void {
    const problem = this.#publish.querySelector(".problem");
    if (problem) problem.textContent = words;
  }

  #add(message: Message): void {
    const gone = this.#received.add(message);
    if (gone > 0) this.#list.dropped(gone);
    else this.#list.soon();
    this.#soon();
  }

  #clear(): void {
    this.#received.clear();
    this.#followed = null;
    this.#look(null);
    this.#list.show(this.#received);
    this.#soon();
  }

  /// The tree, once a frame.
  #soon(): void {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      const chosen = this.#topics[this.#tree.selected]?.path;
      this.#topics = this.#received.open();
      const topics = this.#topics;
      const selected = topics.findIndex(({ path }) => path === chosen);
      this.#tree.update({ length: topics.length, at: (index) => topics[index] }, selected);
      if (this.#followed?.latest && this.#followed.latest !== this.#looked) this.#look(this.#followed.latest);
      this.#empty.hidden = topics.length > 0;
      const { length, left } = this.#received;
      const more = left > 0 ? `, ${left} of topics that have no room` : "";
      this.#count.textContent = `${length} message${length === 1 ? "" : "s"}${more}`;
    });
  }

  #turn(event: Event, isTree: boolean): void {
    const pressed = event.currentTarget as HTMLElement;
    for (const button of pressed.parentElement?.children ?? []) button.ariaPressed = String(button === pressed);
    this.#tree.list.hidden = !isTree;
    this.#list.list.hidden = isTree;
    (isTree ? this.#tree : this.#list).soon();
  }

  #chose(topic: Topic | undefined): void {
    this.#followed = topic ?? null;
    if (topic && topic.latest === null && topic.below.size > 0) {
      topic.isOpen = !topic.isOpen;
      this.#soon();
    }
    this.#look(topic?.latest ?? null);
    const field = this.#publish.elements.namedItem("topic");
    if (topic && field instanceof HTMLInputElement && field.value === "") field.value = topic.path;
  }

  #fold(event: KeyboardEvent): void {
    const topic = this.#topics[this.#tree.selected];
    if (!topic || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    event.preventDefault();
    topic.isOpen = event.key === "ArrowRight";
    this.#soon();
  }

  #look(message: Message | null): void {
    this.#looked = message;
    this.#detail.hidden = message === null;
    if (message === null) return;
    this.#heading.textContent = shown(message.topic);
    const words = [clock(message.at), `QoS ${message.qos}`, message.retain ? "retained" : "", size(message.bytes.length)];
    this.#meta.textContent = [...words, ...message.properties.map(shown)].filter((word) => word !== "").join(", ");
    this.#payload.show(message.bytes);
  }

  #drawSubscriptions(): void {
    this.#subscribed.replaceChildren(
      ...[...this.#filters.keys()].map((filter) =>
        make(
          "button",
          {
            type: "button",
            class: "mono",
            "aria-label": `Unsubscribe from ${filter}`,
            title: "Unsubscribe",
            onclick: () => {
              this.#client?.unsubscribe(filter);
              this.#filters.delete(filter);
              this.#drawSubscriptions();
            },
          },
          `${filter} ×`,
        ),
      ),
    );
  }

  #drawTopic(row: HTMLElement, topic: Topic): void {
    if (row.childElementCount === 0) {
      for (const name of ["fold", "name", "what"]) row.append(make("span", { class: name }));
      row.firstElementChild?.addEventListener("click", (event) => {
        const index = Number(row.dataset["index"]);
        const clicked = this.#topics[index];
        if (!clicked || clicked.below.size === 0) return;
        event.stopPropagation();
        clicked.isOpen = !clicked.isOpen;
        this.#soon();
      });
    }
    const [fold, name, what] = row.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    row.style.paddingLeft = `${8 + topic.depth * 18}px`;
    fold.textContent = topic.below.size === 0 ? "" : topic.isOpen ? "▾" : "▸";
    name.textContent = topic.name === "" ? "(empty)" : shown(topic.name);
    what.textContent = topic.latest ? line(topic.latest.bytes, false) : `${topic.count} message${topic.count === 1 ? "" : "s"}`;
    row.title = shown(topic.path);
  }
}

function drawMessage(row: HTMLElement, message: Message): void {
  if (row.childElementCount === 0) {
    for (const name of ["time", "name", "what"]) row.append(make("span", { class: name }));
  }
  const cells = [clock(message.at), shown(message.topic), line(message.bytes, false)];
  cells.forEach((text, index) => ((row.children[index] as HTMLElement).textContent = text));
}
