// Elements for views that are made by script: no markup is parsed, which the page's policy forbids.

type Attributes = Record<string, string | boolean | ((event: never) => void)>;

/// An element with attributes, listeners (`onclick`) and children.
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value as (event: Event) => void);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/// A choice of words, as the value and as it is shown.
export function choice(attributes: Attributes, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  return make("select", attributes, ...options.map(([value, shown]) => make("option", { value }, shown)));
}

/// Rules of a view, once a document. A constructed stylesheet needs no leave of the page's policy.
export function style(rules: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets.push(sheet);
}
