// How fast the terminal in the browser is, compared with ttyd's: docs/terminal-speed.md has its output. Not a test: it
// takes minutes, and what it says depends on the machine.
//
//   node tests/browser/speed.mjs CHROMIUM ENDPOINTFORWARD [TTYD]
//   RATE=1250000 DELAY=10 node tests/browser/speed.mjs CHROMIUM ENDPOINTFORWARD
//
// RATE is in bytes a second and DELAY in milliseconds each way, of a link that output goes over.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, ours, ttyd] = process.argv.slice(2);
const { RATE, DELAY = "0", ROUNDS = "2" } = process.env;
const folder = mkdtempSync(join(tmpdir(), "speed-"));
const text = join(folder, "text");
const number = (n) => String(n).padStart(9);
const lines = Array.from({ length: 700_000 }, (_, n) => `${number(n)} the quick brown fox jumps over the lazy dog ${number(n)}\n`);
writeFileSync(text, lines.join(""));

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const env = { ...process.env, PS1: "ready> ", HISTFILE: "" };
const results = {};

function start(who, port) {
  const [program, args] =
    who === "ttyd"
      ? [ttyd, ["-W", "-p", `${port}`, "-i", "127.0.0.1", "-t", "rendererType=dom", "-t", "disableLeaveAlert=true", "bash", "--norc", "--noprofile"]]
      : [ours, ["-e", `ws:{tcp:${port}:interface=127.0.0.1}:host=any`, "-d", "pty:bash:--norc:--noprofile"]];
  return spawn(program, args, { env, stdio: "ignore", cwd: "/" });
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/// A link of that rate and delay in front of `port`; it reads little ahead, so what waits is in the sender's socket.
async function link(port, rate, delay) {
  const pump = (from, to, limited) => {
    let due = 0;
    from.on("data", (chunk) => {
      from.pause();
      const now = performance.now();
      due = Math.max(now, due) + (limited ? (chunk.length / rate) * 1000 : 0);
      setTimeout(() => {
        setTimeout(() => to.writable && to.write(chunk), delay);
        from.resume();
      }, due - now);
    });
    from.on("end", () => setTimeout(() => to.end(), delay));
    from.on("error", () => to.destroy());
  };
  const server = net.createServer({ highWaterMark: 4096 }, (client) => {
    const far = net.connect({ port, host: "127.0.0.1", highWaterMark: 4096 });
    for (const socket of [client, far]) socket.setNoDelay();
    pump(client, far, false);
    pump(far, client, true);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  return server;
}

/// Processor seconds of a process and of the children that it has waited for, and its parent (proc_pid_stat(5)).
function used(id) {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return { parent: Number(fields[1]), seconds: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100 };
  } catch {
    return { parent: 0, seconds: 0 };
  }
}

/// Processor seconds of all processes that this one has started: the browser's and the server's.
function usedByAll() {
  const all = new Map(readdirSync("/proc").filter(Number).map((id) => [Number(id), used(id)]));
  const isOurs = (id) => id === process.pid || (all.has(id) && isOurs(all.get(id).parent));
  return [...all].reduce((sum, [id, { seconds }]) => sum + (id !== process.pid && isOurs(id) ? seconds : 0), 0);
}

/// In the page: what it shows, and when a prompt stands at its end after Ctrl-C was pressed.
function watch() {
  window.shown = () => {
    if (window.endpointforward) return window.endpointforward.text();
    const { buffer, rows } = window.term ?? { rows: 0 };
    const line = (_, row) => buffer.active.getLine(buffer.active.viewportY + row)?.translateToString(true) ?? "";
    return Array.from({ length: rows }, line).join("\n").trimEnd();
  };
  window.isReady = () => /ready>$/.test(window.shown());
  const look = () => {
    if (window.isReady()) window.answered = performance.now();
    else setTimeout(look, 4);
  };
  addEventListener("keydown", (event) => {
    if (window.pressed !== 0 || !event.ctrlKey || event.key.toLowerCase() !== "c") return;
    window.pressed = performance.now();
    setTimeout(look, 4);
  }, { capture: true });
}

const browser = await chromium.launch({ executablePath, headless: false, args: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
for (let round = 0; round < Number(ROUNDS); round++) {
  for (const who of ttyd ? ["endpointforward", "ttyd"] : ["endpointforward"]) {
    const put = (what, value) => ((results[what] ??= {})[who] ??= []).push(value);
    const port = await freePort();
    const server = start(who, port);
    await wait(500);
    const slow = RATE && (await link(port, Number(RATE), Number(DELAY)));
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const cdp = await page.context().newCDPSession(page);
    let bytes = 0;
    cdp.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
    await cdp.send("Network.enable");
    const began = Date.now();
    await page.goto(`http://127.0.0.1:${slow ? slow.address().port : port}/`);
    await page.evaluate(watch);
    await page.waitForFunction(() => window.isReady());
    put("until the prompt, ms", Date.now() - began);
    put("the page, kB", bytes / 1000);
    const forever = `while cat ${text}; do :; done`;
    const floods = { yes: "yes", "2000 columns": "yes $(printf 'x%.0s' $(seq 2000))", cat: forever };
    for (const [what, command] of Object.entries(slow ? { cat: forever } : floods)) {
      for (let time = 0; time < 3; time++) {
        await page.evaluate(() => { window.pressed = 0; window.answered = 0; });
        await page.keyboard.type(`${command}\n`);
        await page.waitForFunction(() => !window.isReady());
        await wait(1500);
        await page.keyboard.press("Control+C");
        await page.waitForFunction(() => window.answered > 0, null, { timeout: 60_000 });
        put(`Ctrl-C in ${what}, ms`, await page.evaluate(() => window.answered - window.pressed));
      }
    }
    for (const [what, command] of slow ? [] : [["2 million lines, s", "seq 2000000"], ["50 MB, s", `cat ${text}`]]) {
      const before = Date.now();
      const [all, its] = [usedByAll(), used(server.pid).seconds];
      // The screen still shows the end of the one before.
      const end = `done with ${what}`;
      await page.keyboard.type(`clear; ${command}; echo do''ne with '${what}'\n`);
      const ends = page.waitForFunction((end) => window.shown().endsWith(`\n${end}\nready>`), end, { timeout: 120_000 });
      // If one never ends, the other results are kept.
      put(what, await ends.then(() => (Date.now() - before) / 1000, () => Infinity));
      put(`${what.replace(/, s$/, "")}, CPU of all, s`, usedByAll() - all);
      put(`${what.replace(/, s$/, "")}, CPU of the server, s`, used(server.pid).seconds - its);
    }
    await page.close();
    server.kill();
    slow?.close();
  }
}
await browser.close();
rmSync(folder, { recursive: true });
for (const [what, each] of Object.entries(results)) {
  const said = Object.entries(each).map(([who, values]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const shown = (value) => value === Infinity ? "never" : value.toFixed(what.endsWith(" s") ? 2 : 0);
    return `${who} ${shown(sorted[sorted.length >> 1])} (at most ${shown(sorted.at(-1))})`;
  });
  console.log(`${what}: ${said.join(", ")}`);
}
