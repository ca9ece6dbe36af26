// Sends a large file by tus 1.0, so that a break, a reload or a restart of the server
// costs no more than what was on its way. tus-js-client (MIT) does it: it is what the
// protocol's authors maintain, and asks, backs off and remembers as we would have to.
// It is loaded with the first large file.
import type {
  DetailedError,
  HttpRequest,
  HttpResponse,
  PreviousUpload,
  UploadOptions,
} from "tus-js-client";
import { csrfToken, freshCsrf } from "../api/client";
import { readFile } from "../api/files";
import { ProblemError, problemOf, unreachable } from "../api/problem";
import { queryClient } from "../api/query-client";
import { sessionQuery } from "../api/session";
import type { StoredFile } from "../api/types";
import type { Transfer } from "./queue";

const ENDPOINT = "/tus";
// A request no longer than this passes proxies that bound what they take.
const CHUNK = 64 * 1024 * 1024;
// About two minutes without a byte; each one that arrives starts the count anew.
const RETRY_DELAYS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 40_000];

let spoken: Promise<boolean> | null = null;

/** Whether the server, and what stands before it, speaks tus. Asked once. */
export function tusIsSpoken(): Promise<boolean> {
  spoken ??= fetch(ENDPOINT, { method: "OPTIONS" }).then(
    (answer) => answer.ok && answer.headers.has("Tus-Version"),
    () => {
      spoken = null;
      return false;
    },
  );
  return spoken;
}

export async function sendResumable(
  transfer: Transfer,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<StoredFile> {
  const { bucket, path, file } = transfer;
  const tus = await import("tus-js-client");
  await new Promise<void>((resolve, reject) => {
    const upload = new tus.Upload(file, {
      ...optionsFor(tus, transfer),
      onProgress: progress,
      onSuccess: () => resolve(),
      onError: (error) => void problemOfTus(error).then(reject),
    });
    const stop = () => {
      void upload.abort();
      reject(new DOMException("It was stopped.", "AbortError"));
    };
    signal.addEventListener("abort", stop, { once: true });
    void upload.findPreviousUploads().then(([previous]) => {
      if (signal.aborted) return;
      if (previous) upload.resumeFromPreviousUpload(previous);
      upload.start();
    }, reject);
  });
  return readFile(bucket, path, signal);
}

/** Ends an upload that will not go on, at the server and in this browser's memory. */
export async function discardResumable(transfer: Transfer): Promise<void> {
  const tus = await import("tus-js-client");
  const storage = tus.defaultOptions.urlStorage;
  const options = optionsFor(tus, transfer);
  for (const known of await storage.findUploadsByFingerprint(fingerprintOf(transfer))) {
    await storage.removeUpload(known.urlStorageKey);
    // What cannot be ended now expires by itself.
    if (known.uploadUrl) await tus.Upload.terminate(known.uploadUrl, options).catch(() => {});
  }
}

export interface Interrupted {
  bucket: string;
  path: string;
  size: number;
}

/** Uploads that an earlier page began and did not end; the same files go on with them. */
export async function interrupted(): Promise<Interrupted[]> {
  if (!anyRemembered()) return [];
  const tus = await import("tus-js-client");
  const known = await tus.defaultOptions.urlStorage.findAllUploads();
  return known.filter(isMine).map(({ metadata, size }) => ({
    bucket: metadata.bucket ?? "",
    path: metadata.path ?? "",
    size: size ?? 0,
  }));
}

/** Lets go of all of them: nothing must be running. */
export async function forgetInterrupted(): Promise<void> {
  const tus = await import("tus-js-client");
  const storage = tus.defaultOptions.urlStorage;
  for (const known of await storage.findAllUploads()) {
    if (!isMine(known)) continue;
    await storage.removeUpload(known.urlStorageKey);
    if (!known.uploadUrl) continue;
    const options = { onBeforeRequest: identify, httpStack: here(tus) };
    await tus.Upload.terminate(known.uploadUrl, options).catch(() => {});
  }
}

function optionsFor(tus: typeof import("tus-js-client"), transfer: Transfer): UploadOptions {
  const { bucket, path, file, replace } = transfer;
  return {
    endpoint: ENDPOINT,
    chunkSize: CHUNK,
    retryDelays: RETRY_DELAYS,
    metadata: { bucket, path, ...(file.type ? { filetype: file.type } : {}) },
    fingerprint: async () => fingerprintOf(transfer),
    removeFingerprintOnSuccess: true,
    httpStack: here(tus),
    onBeforeRequest: (request) => {
      identify(request);
      if (request.getMethod() === "POST" && !replace) request.setHeader("If-None-Match", "*");
    },
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      if (status === 403 && error.originalResponse?.getBody().includes('"csrf"')) {
        void freshCsrf(csrfToken());
        return true;
      }
      return status === 0 || status === 409 || status === 423 || status === 429 || status >= 500
        ? status !== 507
        : false;
    },
  };
}

function identify(request: HttpRequest): void {
  const csrf = csrfToken();
  if (csrf) request.setHeader("X-CSRF-Token", csrf);
}

// The server tells addresses by its public name; this page may have been reached by another.
function here(tus: typeof import("tus-js-client")) {
  const stack = new tus.DefaultHttpStack({});
  return {
    createRequest: (method: string, url: string) =>
      stack.createRequest(method, new URL(url, location.origin).pathname),
    getName: () => stack.getName(),
  };
}

const OURS = "longshore";
const MEMORY = "tus::";

function fingerprintOf({ bucket, path, file }: Transfer): string {
  return [mine(), bucket, encodeURIComponent(path), file.size, file.lastModified].join("|");
}

function mine(): string {
  return `${OURS}|${queryClient.getQueryData(sessionQuery.queryKey)?.user.id ?? ""}`;
}

function isMine({ urlStorageKey }: PreviousUpload): boolean {
  return urlStorageKey.startsWith(`${MEMORY}${mine()}|`);
}

// So that a page without any need not load the client to learn it.
function anyRemembered(): boolean {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith(`${MEMORY}${OURS}`));
  } catch {
    return false;
  }
}

async function problemOfTus(error: Error | DetailedError): Promise<ProblemError> {
  const answer: HttpResponse | null =
    "originalResponse" in error ? (error.originalResponse ?? null) : null;
  if (!answer) return "originalRequest" in error ? unreachable() : plain(error);
  const type = answer.getHeader("content-type") ?? "";
  return problemOf(
    new Response(answer.getBody() || null, {
      status: answer.getStatus(),
      headers: { "content-type": type },
    }),
  );
}

function plain(error: Error): ProblemError {
  return new ProblemError({ status: 0, code: "console", detail: error.message });
}
