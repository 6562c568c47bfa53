// The connect form, for a page that was opened from elsewhere than the server it shall talk to.

import { ownTarget, subprotocols, targetInQuery, targetUrl, type Target } from "../wire/address.ts";
import { OFFERED } from "../wire/framing.ts";
import type { Address } from "../session.ts";
import { rememberTarget, rememberedTarget } from "../settings/store.ts";
import { button, element, input, select } from "./dom.ts";

export class ConnectForm {
  readonly #panel = element("connect", HTMLElement);
  readonly #form = element("connect-form", HTMLFormElement);
  readonly #wrong = element("connect-wrong", HTMLElement);
  readonly #preview = element("connect-url", HTMLElement);
  readonly #names = input("connect-names");

  /// `done`: with where to connect, or with nothing if it was cancelled.
  constructor(done: (address?: Address) => void) {
    this.#fill({ ...rememberedTarget(), ...ownTarget(location.href), ...targetInQuery(location.href) });
    this.#form.addEventListener("input", () => this.#check());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const target = this.#target();
      const result = targetUrl(target);
      if ("wrong" in result) return this.#check();
      rememberTarget(target);
      this.hide();
      done({ url: result.url, protocols: subprotocols(target.subprotocol, OFFERED) });
    });
    button("connect-cancel").addEventListener("click", () => {
      this.hide();
      done();
    });
  }

  show(cancellable: boolean): void {
    button("connect-cancel").hidden = !cancellable;
    this.#panel.hidden = false;
    input("connect-host").focus();
    input("connect-host").select();
  }

  hide(): void {
    this.#panel.hidden = true;
  }

  #fill(target: Target): void {
    input("connect-host").value = target.host;
    input("connect-port").value = target.port;
    input("connect-secure").checked = target.secure;
    input("connect-path").value = target.path;
    const offer = select("connect-subprotocol");
    const known = [...offer.options].some((option) => option.value === target.subprotocol);
    offer.value = known ? target.subprotocol : "other";
    this.#names.value = known ? "" : target.subprotocol;
    this.#check();
  }

  #target(): Target {
    const offer = select("connect-subprotocol").value;
    return {
      host: input("connect-host").value,
      port: input("connect-port").value,
      secure: input("connect-secure").checked,
      path: input("connect-path").value,
      subprotocol: offer === "other" ? this.#names.value : offer,
    };
  }

  /// Shows the mistake, or the address to connect to, while it is typed.
  #check(): void {
    element("connect-other", HTMLElement).hidden = select("connect-subprotocol").value !== "other";
    const target = this.#target();
    const result = targetUrl(target);
    const wrong = "wrong" in result ? result.wrong : null;
    for (const name of ["host", "port", "path"] as const) {
      input(`connect-${name}`).setAttribute("aria-invalid", String(wrong === name));
    }
    this.#wrong.textContent =
      "wrong" in result
        ? result.why
        : location.protocol === "https:" && !target.secure
          ? "This page came over https: most browsers will only allow an encrypted connection (wss)."
          : "";
    this.#preview.textContent = "url" in result ? result.url : "";
  }
}
