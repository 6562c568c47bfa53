addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", async ({ data, source }) => {
  const asked = fetch(data, { mode: "no-cors", credentials: "include" }).then((reply) => reply.text());
  source.postMessage((await asked.catch(() => "")) || "no");
});
