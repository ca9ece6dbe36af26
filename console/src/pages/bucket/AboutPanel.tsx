// What a bucket holds, where it lies, at which addresses it answers; and its end.
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { bucketList, deleteBucket, may } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyButton } from "../../components/CopyButton";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago } from "../../components/Times";
import { bytes, count, counted } from "../../format/numbers";
import { fullTime } from "../../format/times";
import { Panel } from "../settings/Panel";
import classes from "../settings/Settings.module.css";
import { useBucket } from "./use-bucket";

export function AboutPanel() {
  const bucket = useBucket();
  const { usage, quota_bytes, quota_files, created_at, hosts } = bucket;
  return (
    <Panel
      title="About"
      lead={
        may(bucket, "change")
          ? "What it holds, and where."
          : "What it holds, and where. Its rules are changed by admins."
      }
    >
      <dl className={`card ${classes.facts}`}>
        <Fact name="Holds">
          {counted(usage.files, "file")}
          {quota_files ? ` of ${count(quota_files)}` : ""}, {bytes(usage.bytes)}
          {quota_bytes ? ` of ${bytes(quota_bytes)}` : ""}, trash and versions included
        </Fact>
        <Fact name="Storage">
          <Place bucket={bucket} />
        </Fact>
        <Fact name="Domains">{hosts.length === 0 ? "none" : hosts.join(", ")}</Fact>
        <Fact name="API">
          <Address path={`/api/v1/buckets/${bucket.name}/files/`} />
        </Fact>
        <Fact name="You may">{whatOneMay(bucket)}</Fact>
        <Fact name="Made">
          {fullTime(created_at)} (<Ago time={created_at} />)
        </Fact>
      </dl>
      {may(bucket, "delete") && <Removal bucket={bucket} />}
    </Panel>
  );
}

function Place({ bucket: { storage } }: { bucket: Bucket }) {
  if (storage.kind === "disk") return "the disk of this server";
  const { bucket, prefix, endpoint, region } = storage;
  return `${bucket}${prefix ? `/${prefix}` : ""} at ${endpoint} (${region})`;
}

function Address({ path }: { path: string }) {
  const address = `${location.origin}${path}`;
  return (
    <>
      <span className="mono">{address}</span>{" "}
      <CopyButton compact value={address} label="Copy address" />
    </>
  );
}

function whatOneMay({ actions, within }: Bucket): string {
  const whole = actions.filter((action) => action !== "change").join(", ");
  const parts = within.map(({ prefix, actions }) => `${actions.join(", ")} below ${prefix}`);
  return [...(whole ? [`${whole} everywhere`] : []), ...parts].join("; ");
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Removal({ bucket: { name } }: { bucket: Bucket }) {
  const navigate = useNavigate();
  const removing = useMutation({
    mutationFn: () => deleteBucket(name),
    onSuccess: async () => {
      await navigate({ to: "/files" });
      await queryClient.invalidateQueries({ queryKey: bucketList.queryKey });
    },
  });
  return (
    <>
      <ActButton
        w="fit-content"
        size="xs"
        variant="default"
        busy={removing.isPending}
        onClick={() =>
          confirmDestruction({
            action: `Delete the bucket ${name}`,
            consequences: ["Only an empty bucket goes: its files stay until they are deleted."],
            onConfirm: () => removing.mutate(),
          })
        }
      >
        {removing.isPending ? "Deleting it…" : "Delete bucket"}
      </ActButton>
      {removing.error && (
        <ErrorPanel
          title="The bucket was not deleted"
          error={removing.error}
          onDismiss={removing.reset}
        />
      )}
    </>
  );
}
