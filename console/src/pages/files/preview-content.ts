// The contents that a preview reads itself.
import { problemOf, unreachable } from "../../api/problem";

/** As much of a text as is shown. */
export const MOST_TEXT = 256 * 1024;
/** It is held in memory while it is shown. */
export const MOST_PDF = 64 * 1024 * 1024;

export async function textBeginning(source: string, signal: AbortSignal): Promise<string> {
  const answer = await ask(source, signal, { Range: `bytes=0-${MOST_TEXT - 1}` });
  const read = new Uint8Array(await answer.arrayBuffer());
  return asText(read.subarray(0, MOST_TEXT));
}

/** UTF-8 or UTF-16 by its mark, else UTF-8; a character that is cut off is left out. */
export function asText(read: Uint8Array): string {
  const mark = `${read[0]} ${read[1]}`;
  const coding = mark === "255 254" ? "utf-16le" : mark === "254 255" ? "utf-16be" : "utf-8";
  return new TextDecoder(coding).decode(read, { stream: true });
}

/** Whatever its bytes are, a browser takes them for nothing but a PDF. */
export async function pdfBlob(source: string, signal: AbortSignal): Promise<Blob> {
  const answer = await ask(source, signal, {});
  return new Blob([await answer.arrayBuffer()], { type: "application/pdf" });
}

async function ask(source: string, signal: AbortSignal, headers: Record<string, string>) {
  const answer = await fetch(source, { headers, signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw unreachable();
  });
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}
