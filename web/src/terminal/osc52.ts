// OSC 52, as the clipboard addon asks for it: programs may ask to set the clipboard, and are never
// told what is in it.

import type { IClipboardProvider, ClipboardSelectionType } from "@xterm/addon-clipboard";

/// More text than a screenful of screens is more likely an accident than a copy.
const MOST = 1024 * 1024;

export function askingClipboard(asked: (text: string) => void): IClipboardProvider {
  return {
    readText: () => "",
    writeText: (_selection: ClipboardSelectionType, text: string) => {
      if (text !== "" && text.length <= MOST) asked(text);
    },
  };
}
