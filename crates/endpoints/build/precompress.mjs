// Writes FILE.br and FILE.gz next to each file below the folder in the first argument, where that saves
// something. Once at build time, so it may take as long as it wants, and nothing is compressed later.
// By node, which the page's build needs anyway: the program needs no library for it.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = process.argv.at(-1);
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || /\.(br|gz|woff2|png|jpg)$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const plain = readFileSync(path);
  const brotli = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  const gzip = gzipSync(plain, { level: constants.Z_BEST_COMPRESSION });
  for (const [ending, packed] of [[".br", brotli], [".gz", gzip]]) {
    if (packed.length < plain.length * 0.9) writeFileSync(path + ending, packed);
  }
}
