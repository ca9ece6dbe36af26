// Sends a small file by one PUT. XMLHttpRequest, because fetch does not tell how much
// of a body has gone.
import { csrfToken, freshCsrf } from "../api/client";
import { fileAddress } from "../api/files";
import { ProblemError, problemOf, unreachable } from "../api/problem";
import type { StoredFile } from "../api/types";
import type { Transfer } from "./queue";

type Progress = (sent: number) => void;

export async function put(
  transfer: Transfer,
  progress: Progress,
  signal: AbortSignal,
): Promise<StoredFile> {
  const refused = csrfToken();
  try {
    return await putOnce(transfer, progress, signal);
  } catch (error) {
    // As after logging in anew in another tab.
    const renew = error instanceof ProblemError && error.code === "csrf";
    if (!renew || !(await freshCsrf(refused))) throw error;
    return putOnce(transfer, progress, signal);
  }
}

function putOnce(
  { bucket, path, file, replace }: Transfer,
  progress: Progress,
  signal: AbortSignal,
): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("PUT", fileAddress(bucket, path));
    request.responseType = "json";
    for (const [name, value] of Object.entries(headersOf(file, replace))) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => {
      const ok = request.status >= 200 && request.status < 300;
      if (ok) resolve(request.response as StoredFile);
      else void problemOf(asResponse(request)).then(reject);
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("It was stopped.", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(file);
  });
}

function headersOf(file: File, replace: boolean): Record<string, string> {
  const csrf = csrfToken();
  return {
    ...(csrf ? { "X-CSRF-Token": csrf } : {}),
    ...(replace ? {} : { "If-None-Match": "*" }),
    // A body without a type of its own is recognised by the server.
    "Content-Type": file.type || "application/octet-stream",
  };
}

function asResponse(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const name of ["content-type", "retry-after"]) {
    const value = request.getResponseHeader(name);
    if (value) headers.set(name, value);
  }
  return new Response(JSON.stringify(request.response), {
    status: request.status,
    statusText: request.statusText,
    headers,
  });
}
