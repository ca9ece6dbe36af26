// The bucket that a panel is about. Its page has read it already.
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { bucketQuery } from "../../api/files";
import type { Bucket } from "../../api/types";

const route = getRouteApi("/frame/buckets/$bucket");

export function useBucket(): Bucket {
  const { bucket } = route.useParams();
  return useSuspenseQuery(bucketQuery(bucket)).data;
}
