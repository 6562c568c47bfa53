// The forms: connecting, subscribing, publishing. Their fields are read by name.

import { choice, make } from "../views/dom.ts";
import { QOS, VERSIONS, type Fields } from "./options.ts";

export function fieldsOf(form: HTMLFormElement): Fields {
  const fields: Fields = {};
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields[name] = value;
  return fields;
}

const text = (label: string, name: string, more: Record<string, string> = {}): HTMLElement =>
  make(
    "label",
    { class: "field grow" },
    label,
    make("input", { name, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...more }),
  );

const check = (label: string, name: string, on = false): HTMLElement =>
  make("label", { class: "check" }, make("input", { name, type: "checkbox", checked: on }), label);

const submitting = (act: (form: HTMLFormElement) => void) => (event: Event): void => {
  event.preventDefault();
  act(event.currentTarget as HTMLFormElement);
};

export function connectForm(connect: (fields: Fields) => void): HTMLFormElement {
  const id = `page-${Math.random().toString(36).slice(2, 10)}`;
  return make(
    "form",
    { class: "card", autocomplete: "off", onsubmit: submitting((form) => connect(fieldsOf(form))) },
    make("h2", {}, "Connect to the broker"),
    make(
      "div",
      { class: "row-of" },
      text("Client ID", "client", { value: id }),
      make("label", { class: "field" }, "MQTT", choice({ name: "version" }, VERSIONS)),
    ),
    make(
      "div",
      { class: "row-of" },
      text("User", "user", { autocomplete: "username" }),
      text("Password", "password", { type: "password", autocomplete: "current-password" }),
    ),
    check("Clean start: forget subscriptions and messages from before", "clean", true),
    make(
      "details",
      {},
      make("summary", {}, "Last will"),
      make(
        "div",
        { class: "inner-form" },
        text("Topic", "willTopic"),
        text("Message", "willPayload"),
        make("div", { class: "row-of" }, choice({ name: "willQos", "aria-label": "QoS of the will" }, QOS), check("Retain", "willRetain")),
      ),
    ),
    make("p", { class: "note sentence", role: "alert" }),
    make("div", { class: "buttons" }, make("button", { type: "submit", class: "primary" }, "Connect")),
  );
}

export function subscribeForm(subscribe: (fields: Fields) => void): HTMLFormElement {
  return make(
    "form",
    { class: "tools-row subscribe", onsubmit: submitting((form) => subscribe(fieldsOf(form))) },
    make("input", {
      name: "filter",
      type: "text",
      class: "filter mono",
      value: "#",
      "aria-label": "Topic filter",
      autocapitalize: "off",
      spellcheck: "false",
    }),
    choice({ name: "qos", "aria-label": "QoS of the subscription" }, QOS),
    make("button", { type: "submit" }, "Subscribe"),
  );
}

export function publishForm(publish: (fields: Fields) => void): HTMLFormElement {
  return make(
    "form",
    { class: "publish", onsubmit: submitting((form) => publish(fieldsOf(form))) },
    make(
      "div",
      { class: "tools-row" },
      make("input", {
        name: "topic",
        type: "text",
        class: "filter mono",
        placeholder: "Topic",
        "aria-label": "Topic to publish to",
        autocapitalize: "off",
        spellcheck: "false",
      }),
      choice({ name: "qos", "aria-label": "QoS of the message" }, QOS),
      choice({ name: "kind", "aria-label": "Message is" }, [["text", "Text"], ["hex", "Binary (hex)"]]),
      check("Retain", "retain"),
      make("button", { type: "submit", class: "primary" }, "Publish"),
    ),
    make("textarea", { name: "payload", rows: "2", class: "mono", "aria-label": "Message to publish", spellcheck: "false" }),
    make(
      "details",
      { class: "properties" },
      make("summary", {}, "Properties"),
      make(
        "div",
        { class: "inner-form" },
        make("div", { class: "row-of" }, text("Content type", "contentType"), text("Response topic", "responseTopic")),
        make("div", { class: "row-of" }, text("Correlation data", "correlation"), text("Expires after (s)", "expiry", { inputmode: "numeric" })),
        make(
          "label",
          { class: "field" },
          "User properties, NAME=VALUE a line",
          make("textarea", { name: "userProperties", rows: "2", class: "mono", spellcheck: "false" }),
        ),
      ),
    ),
    make("p", { class: "problem", role: "alert" }),
  );
}
