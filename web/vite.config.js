// One script and one stylesheet, with hashes in their names, and an index.html that names them
// relatively, so that the page works at any path.

import { readFileSync } from "node:fs";
import { defineConfig, transformWithOxc } from "vite";

/// xterm.js writes its rules into <style> elements, and true colours (without WebGL) into style
/// attributes. Both would need 'unsafe-inline' in the Content-Security-Policy. The same through
/// CSSOM needs nothing, so the four places are rewritten: the element becomes ours
/// (src/terminal/styles.ts), the attribute an assignment. If a new xterm.js has other places, the
/// build stops here instead of the colours being wrong in the browser.
function xtermWithoutInlineStyles() {
  const rewrites = [
    { from: /\.createElement\("style"\)/g, to: '.createElement("xterm-style")', count: 3 },
    { from: /(\w+)\.setAttribute\("style",(`[^`]*`)\)/g, to: "$1.style.cssText=$2", count: 1 },
  ];
  return {
    name: "xterm-without-inline-styles",
    transform(code, id) {
      if (!/@xterm\/xterm\/lib\/xterm\.mjs$/.test(id)) return null;
      for (const { from, to, count } of rewrites) {
        const found = code.match(from)?.length ?? 0;
        if (found !== count) {
          this.error(`${from} is ${found} times in xterm.mjs, not ${count}: look at its styles again`);
        }
        code = code.replace(from, to);
      }
      return { code, map: null };
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

/// js-base64 comes inside the clipboard addon's own bundle, where Vite can't see it.
function licenceOfBase64() {
  return {
    name: "licence-of-base64",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const licences = bundle[LICENCES];
        if (!licences) this.error(`no ${LICENCES} to add to`);
        const own = new URL("node_modules/js-base64/", import.meta.url);
        const { version } = JSON.parse(readFileSync(new URL("package.json", own), "utf8"));
        const text = readFileSync(new URL("LICENSE.md", own), "utf8");
        licences.source += `\n## js-base64 - ${version} (BSD-3-Clause)\n\n${text}`;
      },
    },
  };
}

/// The sockets for other pages (socket/), beside our own page and under a name that stays.
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

const LICENCES = "assets/licenses.txt";

export default defineConfig({
  base: "./",
  plugins: [xtermWithoutInlineStyles(), classicScript(), licenceOfBase64(), sockets()],
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
  test: { include: ["test/**/*.test.ts"] },
});
