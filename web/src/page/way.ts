// The way to the server: the page's own listener, which may ask for credentials, or another address.

import type { Address } from "../session.ts";
import { forget, read, write } from "../settings/store.ts";
import { needsForm, ownUrl, withSize } from "../wire/address.ts";
import type { Ending } from "../wire/ending.ts";
import { Entrance, TELL, tokenInLink } from "../wire/entrance.ts";
import { OFFERED, V1 } from "../wire/framing.ts";

export class Way {
  /// null until the form was filled in, on a page without a server.
  #address: Address | null = null;
  /// null where the page came from elsewhere than what it connects to.
  #entrance: Entrance | null = null;

  /// Leads to the page's own listener; `false` if the page has none. `again` is called for a link that the user opens
  /// later.
  home(again: () => void): boolean {
    if (needsForm(location.href)) return false;
    this.#address = { url: ownUrl(location.href), protocols: [...OFFERED] };
    this.#entrance = new Entrance(location.href, { read, write, forget }, (url, init) => fetch(url, init));
    this.#takeLink();
    // A link that is pasted over the page's own address loads nothing.
    addEventListener("hashchange", () => {
      if (this.#takeLink()) again();
    });
    return true;
  }

  /// Leads to another address.
  elsewhere(address: Address): void {
    this.#address = address;
    this.#entrance = null;
  }

  get isKnown(): boolean {
    return this.#address !== null;
  }

  /// The host that it leads to.
  get host(): string {
    return this.#address === null ? "" : new URL(this.#address.url).hostname;
  }

  /// The address for one session of a terminal of this size, with its tickets; or why there is none.
  async address(size: { cols: number; rows: number }): Promise<Address | Ending> {
    const entered = (await this.#entrance?.enter()) ?? { tickets: [] };
    if ("words" in entered) return entered;
    const { url, protocols } = this.#address as Address;
    const told = protocols.includes(V1) ? [TELL] : [];
    return { url: withSize(url, size), protocols: [...protocols, ...told, ...entered.tickets] };
  }

  /// Why no session began.
  async why(seen: Ending): Promise<Ending> {
    if (this.#entrance !== null) return this.#entrance.why();
    if (!seen.retry) return seen;
    const words = "could not connect: nothing answers there, or it doesn't take pages from here (its `origin`)";
    return { words, retry: true };
  }

  async signIn(name: string, password: string): Promise<string | null> {
    return (await this.#entrance?.signIn(name, password)) ?? null;
  }

  get canSignOut(): boolean {
    return this.#entrance?.canSignOut ?? false;
  }

  async signOut(): Promise<void> {
    await this.#entrance?.signOut();
  }

  /// Takes the token of a link out of sight, and out of the history.
  #takeLink(): boolean {
    const link = tokenInLink(location.href);
    if (link === null) return false;
    history.replaceState(history.state, "", link.rest);
    this.#entrance?.link(link.token);
    return true;
  }
}
