// What a bundle was asked to hold, page by page.
import { api, take } from "./client";

export interface BundleSource {
  source: number;
  url: string;
  path?: string | null;
}

export interface BundleSources {
  items: BundleSource[];
  next?: number | null;
}

type Read = (
  path: "/api/v1/bundles/{id}/sources",
  init: { params: { path: { id: string }; query: { from: number; limit: number } } },
) => Promise<{ data?: BundleSources }>;

export function readSources(id: string, from: number, limit: number): Promise<BundleSources> {
  const get = api.GET as unknown as Read;
  return take(
    get("/api/v1/bundles/{id}/sources", { params: { path: { id }, query: { from, limit } } }),
  );
}
