// What is known of a file.
import type { ReactNode } from "react";
import type { StoredFile } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { Ago } from "../../components/Times";
import { actorName } from "../../format/actor";
import { bytes, count } from "../../format/numbers";
import { fullTime } from "../../format/times";
import { kindOf } from "./kinds";
import classes from "./Preview.module.css";

export function FileFacts({ file }: { file: StoredFile }) {
  const { path, size, type, sniffed_type, created_at, modified_at, uploader } = file;
  // A kind of text that is named more closely than its bytes tell is no contradiction.
  const looks = sniffed_type !== "" && kindOf(sniffed_type, "") !== kindOf(type, "");
  return (
    <dl className={classes.facts}>
      <Fact name="Path">{path}</Fact>
      <Fact name="Size">
        {bytes(size)}
        {size >= 1024 && <span>({count(size)} bytes)</span>}
      </Fact>
      <Fact name="Type">
        {type}
        {looks && <span>(its content looks like {sniffed_type})</span>}
      </Fact>
      {file.width && file.height ? (
        <Fact name="Dimensions">
          {count(file.width)} × {count(file.height)} pixels
        </Fact>
      ) : null}
      {file.taken_at && <Fact name="Taken">{fullTime(file.taken_at)}</Fact>}
      <Place file={file} />
      <Fact name="Changed">
        {fullTime(modified_at)}
        <span>
          (<Ago time={modified_at} />)
        </span>
      </Fact>
      {created_at !== modified_at && <Fact name="First put">{fullTime(created_at)}</Fact>}
      <Fact name="By">{actorName(uploader)}</Fact>
      {file.sha256 && (
        <Fact name="SHA-256">
          <span className={classes.digest}>{file.sha256}</span>
          <CopyButton compact value={file.sha256} label="Copy SHA-256" />
        </Fact>
      )}
      <Fact name="ETag">
        <span className={classes.digest}>{file.etag}</span>
      </Fact>
    </dl>
  );
}

function Place({ file: { latitude, longitude } }: { file: StoredFile }) {
  if (typeof latitude !== "number" || typeof longitude !== "number") return null;
  const place = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  return (
    <Fact name="Place">
      {place}
      <CopyButton compact value={place} label="Copy place" />
    </Fact>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
