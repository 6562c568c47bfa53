// Bytes as base64 (RFC 4648 section 4), for servers that only take text messages.

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  // Spreading more than some 10⁵ arguments overflows the stack in some browsers.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/// null if it is no base64.
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
