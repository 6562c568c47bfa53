// Finger scrolling. xterm.js 6.0 has none (its issue 5489): this does it with its public API and wheel events.
//
// One finger moves the text. On the normal screen these are whole lines of the scrollback; a program that takes the
// mouse or has the alternate screen is sent wheel events, of which xterm.js makes reports or arrow keys. Two fingers
// are the browser's, and so is a tap: it focuses the terminal.

import type { Terminal as Xterm } from "@xterm/xterm";

/// A finger that moves less than this many pixels taps.
const SLOP = 8;
/// Momentum: the time constant of its decay, and the speed in pixels a millisecond at which it ends.
const DECAY_MS = 325;
const STOP = 0.03;
/// A flick is told from a pause by the last of the finger's way.
const SAMPLE_MS = 80;
const FASTEST = 6;
/// A program draws for each line: less momentum, and few lines a frame.
const PROGRAM_DECAY_MS = 120;
const PROGRAM_LINES = 3;

export function scrollByFinger(term: Xterm): void {
  const box = term.element;
  const screen = box?.querySelector<HTMLElement>(".xterm-screen");
  if (!box || !screen) return;
  box.style.touchAction = "pinch-zoom";
  let finger: number | null = null;
  let [startX, startY, x, y] = [0, 0, 0, 0];
  let scrolls = false;
  /// Pixels that make no line yet.
  let rest = 0;
  let trail: { at: number; y: number }[] = [];
  let frame = 0;
  let speed = 0;
  let then = 0;

  const line = (): number => screen.clientHeight / term.rows;
  const isProgram = (): boolean =>
    term.modes.mouseTrackingMode !== "none" || term.buffer.active.type === "alternate";

  /// Moves the text by so many pixels, downwards if positive. Returns `true` if there was anything to move.
  function move(pixels: number, most = Infinity): boolean {
    rest += pixels;
    let lines = Math.trunc(rest / line());
    if (lines === 0) return true;
    rest -= lines * line();
    if (!isProgram()) {
      const before = term.buffer.active.viewportY;
      term.scrollLines(-lines);
      return term.buffer.active.viewportY !== before;
    }
    lines = Math.max(-most, Math.min(most, lines));
    for (let left = Math.abs(lines); left > 0; left--) {
      (screen as HTMLElement).dispatchEvent(
        new WheelEvent("wheel", {
          deltaY: -Math.sign(lines),
          deltaMode: WheelEvent.DOM_DELTA_LINE,
          clientX: x,
          clientY: y,
          bubbles: true,
          cancelable: true,
        }),
      );
    }
    return true;
  }

  function halt(): void {
    cancelAnimationFrame(frame);
    frame = 0;
  }

  function glide(now: number): void {
    const passed = Math.min(now - then, 64);
    then = now;
    const program = isProgram();
    if (passed > 0) {
      speed *= Math.exp(-passed / (program ? PROGRAM_DECAY_MS : DECAY_MS));
      if (!move(speed * passed, program ? PROGRAM_LINES : Infinity)) speed = 0;
    }
    frame = Math.abs(speed) > STOP ? requestAnimationFrame(glide) : 0;
  }

  const own = (event: TouchEvent): Touch | undefined =>
    [...event.changedTouches].find((touch) => touch.identifier === finger);

  box.addEventListener(
    "touchstart",
    (event) => {
      halt();
      const touch = event.touches[0];
      if (event.touches.length !== 1 || !touch) {
        finger = null;
        return;
      }
      finger = touch.identifier;
      [startX, startY, x, y] = [touch.clientX, touch.clientY, touch.clientX, touch.clientY];
      scrolls = false;
      rest = 0;
      trail = [{ at: event.timeStamp, y }];
    },
    { passive: true },
  );
  box.addEventListener(
    "touchmove",
    (event) => {
      const touch = own(event);
      if (!touch) return;
      if (!scrolls) {
        const [across, down] = [touch.clientX - startX, touch.clientY - startY];
        if (Math.abs(down) < SLOP || Math.abs(down) < Math.abs(across)) return;
        scrolls = true;
        y = startY + Math.sign(down) * SLOP;
      }
      // Neither a reload by pulling nor mouse events.
      if (event.cancelable) event.preventDefault();
      const moved = touch.clientY - y;
      [x, y] = [touch.clientX, touch.clientY];
      trail.push({ at: event.timeStamp, y });
      while (trail.length > 2 && (trail[0]?.at ?? 0) < event.timeStamp - SAMPLE_MS) trail.shift();
      move(moved);
    },
    { passive: false },
  );
  box.addEventListener(
    "touchend",
    (event) => {
      if (!own(event)) return;
      finger = null;
      if (!scrolls) return;
      if (event.cancelable) event.preventDefault();
      const [first, last] = [trail[0], trail.at(-1)];
      const flicks = first && last && event.timeStamp - last.at < SAMPLE_MS && last.at > first.at;
      speed = flicks ? (last.y - first.y) / (last.at - first.at) : 0;
      speed = Math.max(-FASTEST, Math.min(FASTEST, speed));
      if (Math.abs(speed) < 0.1) return;
      then = performance.now();
      frame = requestAnimationFrame(glide);
    },
    { passive: false },
  );
  box.addEventListener("touchcancel", () => {
    finger = null;
    halt();
  });
  term.onKey(halt);
  term.buffer.onBufferChange(halt);
}
