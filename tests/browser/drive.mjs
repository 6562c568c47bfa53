// Chromium, driven by lines: a JSON object on standard input is a request, one on standard output its
// answer. tests/src/browser.rs is the other side; what a test wants is said there, in Rust.
//
//   {"id":1,"verb":"open","url":"http://127.0.0.1:9000/"}  →  {"id":1,"ok":0}
//
// The end of standard input ends it and the browser: nothing outlives the test.

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [executablePath, limit, ...more] = process.argv.slice(2);
const TIMEOUT = Number(limit);

const browser = await chromium.launch({
  executablePath,
  // Playwright would ask for the old headless mode, which is another browser than people have.
  headless: false,
  chromiumSandbox: false,
  timeout: TIMEOUT,
  args: [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    ...more,
  ],
});

const pages = [];
/// Complaints that no page should cause, until the test reads them.
let complaints = [];

const verbs = {
  /// A page in a separate context, as in a private window: without scripts, or trusting every certificate, if asked.
  async open({ url, width = 1024, height = 640, dark = true, phone = false, scripts = true, trusting = false, platform = null }) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      deviceScaleFactor: phone ? 2 : 1,
      isMobile: phone,
      hasTouch: phone,
      javaScriptEnabled: scripts,
      ignoreHTTPSErrors: trusting,
    });
    context.setDefaultTimeout(TIMEOUT);
    // Chromium also writes them to the console, but not from frames and workers.
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`violates ${event.violatedDirective}: ${event.blockedURI}`);
      });
    });
    if (platform !== null) {
      await context.addInitScript((platform) => Object.defineProperty(navigator, "platform", { get: () => platform }), platform);
    }
    context.on("console", (message) => {
      if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    return show(await context.newPage(), url);
  },

  async goto({ page, url }) {
    const response = await pages[page].goto(url);
    return response?.status() ?? 0;
  },

  /// Until the page is in one of these states, `data-state` of the document.
  async state({ page, states }) {
    return wait(page, (states) => {
      const { state } = document.documentElement.dataset;
      return states.includes(state) && state;
    }, states);
  },

  /// Until the page's state is said in words that contain `text`.
  async status({ page, text }) {
    return wait(page, (text) => {
      const said = document.getElementById("status-text").textContent;
      return said.includes(text) && said;
    }, text);
  },

  /// Until the terminal shows `text`, or, if `gone`, doesn't: the whole screen. Spaces at the end of a line are
  /// no text to it.
  async screen({ page, text, gone = false }) {
    return wait(page, ([text, gone]) => {
      const shown = `${window.endpointforward.text()}\n`;
      return shown.includes(text) !== gone && shown;
    }, [text.replace(/ +$/gm, ""), gone]);
  },

  async text({ page }) {
    return pages[page].evaluate(() => window.endpointforward?.text() ?? document.body.innerText);
  },

  /// Once something that takes text has the focus: after a dialog has closed, the terminal has it a task later.
  async type({ page, text }) {
    // noVNC takes keys at its canvas.
    await wait(page, () => document.activeElement?.matches("input, textarea, canvas") === true);
    await pages[page].keyboard.type(text);
  },

  async press({ page, key }) {
    await pages[page].keyboard.press(key);
  },

  async click({ page, selector }) {
    await pages[page].click(selector);
  },

  /// An element above it gets the click: the terminal's text is below its screen.
  async point({ page, selector }) {
    const { x, y, width, height } = await pages[page].locator(selector).boundingBox();
    await pages[page].mouse.move(x + width / 2, y + height / 2, { steps: 3 });
    await pages[page].mouse.click(x + width / 2, y + height / 2);
  },

  /// With a finger.
  async tap({ page, selector }) {
    await pages[page].tap(selector);
  },

  /// A finger, from the middle of what is selected, by so many pixels downwards, in steps of a frame each.
  async drag({ page, selector, by }) {
    const box = await pages[page].locator(selector).boundingBox();
    const [x, start] = [box.x + box.width / 2, box.y + box.height / 2];
    const cdp = await pages[page].context().newCDPSession(pages[page]);
    const touch = (type, y) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: y === null ? [] : [{ x, y, id: 1 }] });
    await touch("touchStart", start);
    for (let step = 1; step <= 8; step++) {
      await touch("touchMove", start + (by * step) / 8);
      await new Promise((done) => setTimeout(done, 16));
    }
    await touch("touchEnd", null);
    await cdp.detach();
  },

  async fill({ page, selector, text }) {
    await pages[page].fill(selector, text);
  },

  async select({ page, selector, value }) {
    await pages[page].selectOption(selector, value);
  },

  async visible({ page, selector }) {
    await pages[page].waitForSelector(selector, { state: "visible" });
  },

  /// Resizes the window.
  async resize({ page, width, height }) {
    await pages[page].setViewportSize({ width, height });
  },

  /// The value of an expression in the page, awaited. The page's own rules don't hold for it.
  async evaluate({ page, script }) {
    return (await pages[page].evaluate(script)) ?? null;
  },

  /// Runs a script in the page, and keeps what it calls `name`: its variables are a function's.
  async load({ page, file, name }) {
    const script = await readFile(file, "utf8");
    await pages[page].evaluate(`${script}\n;globalThis.${name} = ${name};0`);
  },

  /// What the system would tell the page: `{ forcedColors: "active" }`, `{ reducedMotion: "reduce" }`.
  async emulate({ page, media }) {
    await pages[page].emulateMedia(media);
  },

  async screenshot({ page, file }) {
    await pages[page].screenshot({ path: file, timeout: TIMEOUT });
  },

  async cookies({ page }) {
    return pages[page].context().cookies();
  },

  /// From now on, this address is this text to all pages that share cookies with this one, and no server is asked.
  async fulfil({ page, url, html }) {
    await pages[page].context().route(url, (route) => route.fulfill({ contentType: "text/html", body: html }));
  },

  /// The text in each frame of the page.
  async frames({ page }) {
    // One that was blocked answers nothing.
    const late = () => new Promise((done) => setTimeout(done, 500, ""));
    const text = (frame) =>
      Promise.race([frame.evaluate(() => document.body?.innerText ?? "").catch(() => ""), late()]);
    return Promise.all(pages[page].frames().slice(1).map(text));
  },

  /// Another page that has what this one has: cookies, above all.
  async beside({ page, url }) {
    return show(await pages[page].context().newPage(), url);
  },

  async close({ page }) {
    await pages[page].close();
  },

  /// Returns the complaints since the last call.
  complaints() {
    const all = complaints;
    complaints = [];
    return all;
  },
};

async function show(page, url) {
  page.on("crash", () => complaints.push("the page has crashed"));
  const response = await page.goto(url);
  return { page: pages.push(page) - 1, status: response?.status() ?? 0 };
}

/// Until `probe` has a truthy answer in the page; asked at every frame.
async function wait(page, probe, argument) {
  const handle = await pages[page].waitForFunction(probe, argument, { timeout: TIMEOUT });
  const value = await handle.jsonValue();
  await handle.dispose();
  return value;
}

/// A computation of the page may take for ever; all other acts have separate limits, with better messages.
function limited(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("nothing came of it")), TIMEOUT + 500);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

say({ id: 0, ok: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, verb, ...rest } = JSON.parse(line);
  try {
    say({ id, ok: (await limited(verbs[verb](rest))) ?? null });
  } catch (error) {
    say({ id, error: [error.message, ...complaints].join("\n") });
  }
}
await browser.close();
