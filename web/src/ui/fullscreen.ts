// Full screen, with the keys that the browser has in a window, where it gives them away (Keyboard Lock; Chromium, over
// https or on this machine).

interface Keyboard {
  lock?(): Promise<void>;
}

const keyboard = (): Keyboard | undefined => (navigator as { keyboard?: Keyboard }).keyboard;

export const locksKeys = (): boolean => keyboard()?.lock !== undefined;

export async function goFullScreen(): Promise<void> {
  try {
    await document.documentElement.requestFullscreen();
    await keyboard()?.lock?.();
  } catch {
    // The browser shows the reason itself.
  }
}
