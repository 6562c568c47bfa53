// One script and one stylesheet, with hashes in their names, and an index.html that names them
// relatively, so that the page works at any path. Code that few pages need is in separate files (`?chunk`).

import { readdirSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { build, defineConfig, transformWithOxc } from "vite";

/// xterm.js writes its rules into <style> elements, and true colours (without WebGL) into style
/// attributes. Both would need 'unsafe-inline' in the Content-Security-Policy. The same through
/// CSSOM needs nothing, so these four places are rewritten: the element becomes ours
/// (src/terminal/styles.ts), the attribute an assignment. If a new xterm.js has other places, the
/// build stops here instead of the colours being wrong in the browser.
///
/// The DOM renderer lifts the default foreground in reverse video against itself, which makes it grey. The text is the
/// background's colour there, so it is that one's contrast that counts.
///
/// It parses in slices, with timers between them, which a tab that isn't shown has once a second or once a minute. Those are
/// rewritten, too (src/terminal/later.ts).
function xtermForThePage() {
  const rewrites = [
    { from: /\.createElement\("style"\)/g, to: '.createElement("xterm-style")', count: 3 },
    { from: /(\w+)\.setAttribute\("style",(`[^`]*`)\)/g, to: "$1.style.cssText=$2", count: 1 },
    {
      from: /(\._applyMinimumContrast\(\w+,\w+,)(\w+)\.foreground(,[^)]*\)\|\|)(\w+)&&/g,
      to: "$1$4?$2.background:$2.foreground$3$4&&",
      count: 1,
    },
    { from: /\bsetTimeout\(\(\)=>this\._innerWrite\(/g, to: "parseLater(()=>this._innerWrite(", count: 3 },
  ];
  return {
    name: "xterm-for-the-page",
    transform(code, id) {
      if (!/@xterm\/xterm\/lib\/xterm\.mjs$/.test(id)) return null;
      for (const { from, to, count } of rewrites) {
        const found = code.match(from)?.length ?? 0;
        if (found !== count) {
          this.error(`${from} is ${found} times in xterm.mjs, not ${count}: look at it again`);
        }
        code = code.replace(from, to);
      }
      const later = new URL("src/terminal/later.ts", import.meta.url).pathname;
      return { code: `import { later as parseLater } from ${JSON.stringify(later)};\n${code}`, map: null };
    },
  };
}

/// Module scripts and anything `crossorigin` aren't loaded from file:// by Chromium. A page that was
/// saved, or built and opened in place, shall show its connect form all the same.
function classicScript() {
  return {
    name: "classic-script",
    transformIndexHtml: {
      order: "post",
      handler: (html) =>
        html.replace(/<script type="module" crossorigin/g, "<script defer").replace(/ crossorigin/g, ""),
    },
  };
}

/// js-base64 comes inside the clipboard addon's own bundle, and what MQTT.js needs inside of that one's, where Vite can't
/// see it. Not all that MQTT.js depends on is in there; which of it is would change with each version.
function licencesInBundles() {
  return {
    name: "licences-in-bundles",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const licences = bundle[LICENCES];
        if (!licences) this.error(`no ${LICENCES} to add to`);
        const needed = ["js-base64", ...Object.keys(manifest("mqtt").dependencies)];
        for (const name of needed) {
          const { version, license, dependencies = {} } = manifest(name);
          const folder = new URL(`node_modules/${name}/`, import.meta.url);
          const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
          const text = file === undefined ? "" : readFileSync(new URL(file, folder), "utf8");
          licences.source += `\n## ${name} - ${version} (${license})\n\n${text}`;
          // Types are no code.
          const more = Object.keys(dependencies).filter((name) => !name.startsWith("@types/"));
          needed.push(...more.filter((name) => !needed.includes(name)));
        }
      },
    },
  };
}

/// `import { load } from "./x.ts?chunk"`: a module with all that it needs, in a file that `load()` brings in. The page's
/// script is a classic one (see classicScript), which bundlers don't split; import() works in it all the same.
function chunks() {
  const MARK = "?chunk";
  let isBuilt = false;
  /// Licences of what is in the chunks, by their text.
  const notices = new Set();
  return {
    name: "chunks",
    enforce: "pre",
    configResolved(config) {
      isBuilt = config.command === "build";
    },
    async resolveId(source, importer) {
      if (!source.endsWith(MARK)) return null;
      const found = await this.resolve(source.slice(0, -MARK.length), importer, { skipSelf: true });
      return found && `${found.id}${MARK}`;
    },
    async load(id) {
      if (!id.endsWith(MARK)) return null;
      const entry = id.slice(0, -MARK.length);
      if (!isBuilt) return `export const load = () => import(${JSON.stringify(entry)});`;
      const made = await build({
        configFile: false,
        logLevel: "warn",
        build: {
          write: false,
          target: "es2022",
          modulePreload: false,
          license: { fileName: LICENCES },
          chunkSizeWarningLimit: 700,
          rolldownOptions: {
            input: entry,
            preserveEntrySignatures: "strict",
            output: { format: "es", codeSplitting: false },
          },
        },
      });
      const output = (Array.isArray(made) ? made[0] : made).output;
      const { code } = output.find((file) => file.type === "chunk");
      notices.add(String(output.find((file) => file.fileName === LICENCES)?.source ?? ""));
      // Files in web/src that it is made of, for `vite build --watch` and the build script.
      this.addWatchFile(entry);
      const hash = createHash("sha256").update(code).digest("base64url").replace(/[^\w]/g, "").slice(0, 8);
      const name = `${entry.split("/").at(-2)}-${hash}.js`;
      this.emitFile({ type: "asset", fileName: `assets/${name}`, source: code });
      return `const at = "./${name}";\nexport const load = () => import(/* @vite-ignore */ at);`;
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const licences = bundle[LICENCES];
        for (const notice of notices) {
          if (notice) licences.source += `\n${notice.replace(/^# .*\n/, "")}`;
        }
      },
    },
  };
}

/// The sockets for other pages (socket/), as a file of the page's folder whose name stays the same.
function sockets() {
  return {
    name: "sockets",
    async generateBundle() {
      const file = new URL("socket/socket.ts", import.meta.url).pathname;
      const { code } = await transformWithOxc(readFileSync(file, "utf8"), file, { sourcemap: false });
      this.emitFile({ type: "asset", fileName: "assets/socket.js", source: code });
    },
  };
}

const manifest = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8"));

const LICENCES = "assets/licenses.txt";

export default defineConfig({
  base: "./",
  plugins: [chunks(), xtermForThePage(), classicScript(), licencesInBundles(), sockets()],
  optimizeDeps: { exclude: ["@xterm/xterm"] },
  build: {
    target: "es2022",
    modulePreload: false,
    // One script on purpose: see classicScript.
    chunkSizeWarningLimit: 700,
    cssCodeSplit: false,
    // data: URLs would have to be allowed in the policy.
    assetsInlineLimit: 0,
    // Third-party code ends up in the program: its notices go with it.
    license: { fileName: LICENCES },
    rolldownOptions: {
      output: {
        format: "iife",
        entryFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  // On a busy machine, a test that computes much takes longer than the usual five seconds.
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 },
});
