// How xterm.js waits between two slices of parsing (see vite.config.js).
//
// Browsers slow timers down in a tab that isn't shown: to once a second, and after some minutes to once a minute. A program
// whose output is acknowledged as it is parsed would stand still there with its terminal full. Messages aren't slowed down.

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

export function later(call: () => void): void {
  if (!document.hidden) {
    setTimeout(call);
    return;
  }
  waiting.push(call);
  channel.port2.postMessage(null);
}
