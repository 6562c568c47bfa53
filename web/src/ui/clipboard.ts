// The clipboard, also where the browser has no API for it: pages over plain http to another machine,
// which is how a serial server in the next room is used.

export async function copy(text: string): Promise<boolean> {
  if (text === "") return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/// null where the browser doesn't allow it.
export async function read(): Promise<string | null> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}

export const canRead = (): boolean => typeof navigator.clipboard?.readText === "function";

/// Control characters in what is pasted would be keys: an escape sequence could even end a bracketed
/// paste early (xterm.js leaves it in). Tabs and line ends stay.
export function pasteable(text: string): string {
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, "");
}

export const hasLines = (text: string): boolean => /[\r\n]/.test(text);

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  // Deprecated, and the only way without a secure context.
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}
