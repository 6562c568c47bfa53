// A file for the user to keep.

export function save(pieces: readonly Uint8Array[], name: string): void {
  const url = URL.createObjectURL(new Blob([...pieces] as BlobPart[], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
