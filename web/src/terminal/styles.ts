// <xterm-style>: xterm.js takes it for a <style> element (see vite.config.js). Its rules go to a
// constructed stylesheet, which `style-src 'self'` allows, as only script that was allowed to run can
// make one.

export function defineStyleElement(): void {
  if (!customElements.get("xterm-style")) customElements.define("xterm-style", XtermStyle);
}

class XtermStyle extends HTMLElement {
  readonly #sheet = new CSSStyleSheet();

  override get textContent(): string {
    return "";
  }

  override set textContent(rules: string | null) {
    this.#sheet.replaceSync(rules ?? "");
  }

  connectedCallback(): void {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  disconnectedCallback(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }
}
