// The settings dialog: each field has the name of the setting that it changes, at once.

import { FONT_SIZE, SCROLLBACK, type Settings } from "../settings/settings.ts";
import type { Store } from "../settings/store.ts";
import { button, dialog, element, input } from "./dom.ts";
import { MAC } from "./keys.ts";

export function settingsDialog(store: Store, after: () => void): void {
  const box = dialog("settings");
  const form = element("settings-form", HTMLFormElement);
  for (const [id, range] of [["set-font", FONT_SIZE], ["set-scrollback", SCROLLBACK]] as const) {
    input(id).min = String(range.least);
    input(id).max = String(range.most);
  }

  element("option-is-meta", HTMLElement).hidden = !MAC;
  button("open-settings").addEventListener("click", () => box.showModal());
  box.addEventListener("close", after);
  form.addEventListener("change", (event) => {
    const field = event.target;
    if (field instanceof HTMLInputElement && field.type === "checkbox") {
      store.change({ [field.name]: field.checked });
    } else if (field instanceof HTMLInputElement) {
      store.change({ [field.name]: field.value === "" ? null : field.valueAsNumber });
    } else if (field instanceof HTMLSelectElement) {
      store.change({ [field.name]: field.value });
    }
  });
  store.watch((settings) => {
    for (const field of form.elements) {
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) show(field, settings);
    }
  });
}

function show(field: HTMLInputElement | HTMLSelectElement, settings: Settings): void {
  const value = settings[field.name as keyof Settings];
  if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = value === true;
  else field.value = String(value);
}
