// Neon's driver as it is, with the settings of docs/coming-from.md: asks a PostgreSQL server something.
//
// Arguments: the port of the listener, the host and port of the server, the password, and `pipeline` or nothing.

import { neonConfig, Client, Pool } from "@neondatabase/serverless";
import ws from "ws";

const [port, host, server, password, pipeline] = process.argv.slice(2);
// Where there is none, as in older versions of Node.
neonConfig.webSocketConstructor = ws;
neonConfig.wsProxy = `127.0.0.1:${port}/v1`;
neonConfig.useSecureWebSocket = false;
// With it, the password comes before the server has asked for one.
if (pipeline !== "pipeline") neonConfig.pipelineConnect = false;

const settings = { host, port: Number(server), user: "ada", password, database: "postgres" };
const client = new Client(settings);
client.on("error", (error) => fail(error.message));
try {
  await client.connect();
  const { rows } = await client.query("SELECT version(), $1::text || ' and back' AS told", ["there"]);
  console.log(`${rows[0].told}: ${rows[0].version}`);
  // Larger than any buffer.
  const { rows: large } = await client.query("SELECT repeat('x', $1) AS text", [5_000_000]);
  console.log(`${large[0].text.length} characters`);
  await client.end();
  const pool = new Pool(settings);
  const numbers = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => (await pool.query("SELECT $1::int * 2 AS n", [n])).rows[0].n),
  );
  console.log(`sum ${numbers.reduce((sum, n) => sum + n)}`);
  await pool.end();
  process.exit(0);
} catch (error) {
  fail(error.message ?? error);
}

function fail(words) {
  console.log(`failed: ${words}`);
  process.exit(1);
}
