// `/files` alone: the bucket that one most likely means.
import { IconFolder } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { bucketList } from "../../api/files";
import { useMay } from "../../api/session";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import { NewBucketButton } from "./NewBucket";

const USUAL = "files";

export function FirstBucket() {
  const { data, error, refetch } = useQuery(bucketList);
  const mayMake = useMay("operator");
  const usual = data?.items.find(({ name }) => name === USUAL) ?? data?.items[0];
  if (usual) {
    return <Navigate to="/files/$bucket/$" params={{ bucket: usual.name, _splat: "" }} replace />;
  }
  return (
    <Page title="Files">
      {error ? (
        <ErrorPanel title="The buckets could not be read" error={error} onRetry={refetch} />
      ) : data ? (
        <div className="card">
          <EmptyState
            icon={<IconFolder size={34} stroke={1.4} aria-hidden />}
            sentence={
              mayMake
                ? "There is no bucket yet. Make one, and put files into it."
                : "No bucket is open to you. Whoever runs this server can grant you one."
            }
            action={mayMake ? <NewBucketButton /> : undefined}
          />
        </div>
      ) : (
        <Waiting what="Reading the buckets…" />
      )}
    </Page>
  );
}
