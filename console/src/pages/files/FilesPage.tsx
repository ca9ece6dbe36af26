// A bucket's folder: what is in it, what can be done with it, and what is dropped on it.
import { Button, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { bucketQuery, may } from "../../api/files";
import type { Bucket } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import { Crumbs } from "./Crumbs";
import { FolderView } from "./FolderView";
import { MoreMenu } from "./MoreMenu";
import { NewBucketDialog } from "./NewBucket";
import { NewFolder } from "./NewFolder";
import { PastView } from "./PastView";
import { fromAddress, nameOf, type Shown } from "./place";
import { UploadMenu } from "./UploadMenu";
import { useUpload } from "./use-upload";
import { WorkBar } from "./WorkBar";

const route = getRouteApi("/frame/files/$bucket/$");

export function FilesPage() {
  const { bucket: name, _splat } = route.useParams();
  const shown = route.useSearch();
  const folder = fromAddress(_splat);
  const { data: bucket, error, refetch } = useQuery(bucketQuery(name));
  if (bucket) return <Inside key={name} bucket={bucket} folder={folder} shown={shown} />;
  return (
    <Page
      title={folder === "" ? name : nameOf(folder)}
      // A menu that is opened while the bucket comes would be gone when it is there.
      trail={error && <Crumbs bucket={name} folder={folder} onNewBucket={null} />}
    >
      {error ? (
        <ErrorPanel title="The bucket could not be read" error={error} onRetry={refetch} />
      ) : (
        <Waiting what="Reading the bucket…" />
      )}
    </Page>
  );
}

interface InsideProps {
  bucket: Bucket;
  folder: string;
  shown: Shown;
}

const VIEWS = { trash: "Trash", versions: "Older versions" } as const;

type Dialog = "folder" | "bucket" | null;

function Inside({ bucket, folder, shown }: InsideProps) {
  const navigate = route.useNavigate();
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = () => setDialog(null);
  const uploading = useUpload(bucket.name);
  const { view } = shown;
  const mayWrite = may(bucket, "write", folder);
  const top = folder === "" ? bucket.name : nameOf(folder);
  const toFiles = () => navigate({ search: {} });
  return (
    <Page
      title={view ? `${VIEWS[view]} of ${bucket.name}` : top || "(no name)"}
      trail={
        <Crumbs bucket={bucket.name} folder={folder} onNewBucket={() => setDialog("bucket")} />
      }
      actions={
        <>
          {view && (
            <Button variant="default" onClick={toFiles}>
              Back to the files
            </Button>
          )}
          {!view && mayWrite && (
            <>
              <UploadMenu onChoose={(files) => uploading.add(folder, files)} />
              <Button variant="default" onClick={() => setDialog("folder")}>
                New folder
              </Button>
            </>
          )}
          <MoreMenu
            bucket={bucket}
            view={view}
            onView={(next) => navigate({ search: next ? { view: next } : {} })}
          />
        </>
      }
    >
      {!view && !mayWrite && (
        <Text size="sm" c="dimmed">
          You may not put files here. Whoever runs this server can grant it to you.
        </Text>
      )}
      <WorkBar />
      {uploading.problem && (
        <ErrorPanel
          title="Some of it could not be read, and was not uploaded"
          error={uploading.problem}
          onDismiss={uploading.dismiss}
        />
      )}
      {view ? (
        <PastView key={view} bucket={bucket} heap={view} />
      ) : (
        <FolderView
          key={folder}
          bucket={bucket}
          folder={folder}
          shown={shown}
          uploading={uploading}
        />
      )}
      <NewFolder opened={dialog === "folder"} onClose={close} bucket={bucket} folder={folder} />
      <NewBucketDialog opened={dialog === "bucket"} onClose={close} />
    </Page>
  );
}
