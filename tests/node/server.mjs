// The server of `ws`: says every message back.
//
// Arguments: the subprotocol that it takes or `none`, whether it takes compression: `on` or `off`. Prints its port.

import { WebSocketServer } from "ws";

const [subprotocol, compression] = process.argv.slice(2);
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: compression === "on",
  handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
});
server.on("listening", () => console.log("port", server.address().port));
server.on("connection", (ws) => {
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on("error", (error) => console.error(error.message));
});
