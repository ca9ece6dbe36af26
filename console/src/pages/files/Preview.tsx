// What a file looks like. Its content is never part of the page: an image, a player, a
// text node or the browser's own viewer shows it, and nothing in it runs.
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { fileAddress } from "../../api/files";
import type { StoredFile } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Waiting } from "../../components/Waiting";
import { bytes } from "../../format/numbers";
import { kindOf } from "./kinds";
import classes from "./Preview.module.css";
import { nameOf } from "./place";
import { MOST_PDF, MOST_TEXT, pdfBlob, textBeginning } from "./preview-content";

interface PreviewProps {
  bucket: string;
  file: StoredFile;
}

export function Preview({ bucket, file }: PreviewProps) {
  const kind = kindOf(file.type, file.sniffed_type);
  const source = fileAddress(bucket, file.path);
  if (file.size === 0) return <Note>It is empty.</Note>;
  if (kind === "image") return <Picture source={source} file={file} />;
  if (kind === "text") return <TextPreview source={source} file={file} />;
  if (kind === "pdf") return <PdfPreview source={source} file={file} />;
  if (kind === "video" || kind === "audio") return <Player kind={kind} source={source} />;
  return (
    <Note>There is no preview of {file.type || "this kind of file"}. Download it to see it.</Note>
  );
}

function Picture({ source, file }: { source: string; file: StoredFile }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <Note>This browser cannot show the picture. Download it to see it.</Note>;
  return (
    <img
      className={classes.picture}
      src={source}
      alt={nameOf(file.path)}
      {...(file.width && file.height ? { width: file.width, height: file.height } : {})}
      onError={() => setFailed(true)}
    />
  );
}

function Player({ kind, source }: { kind: "video" | "audio"; source: string }) {
  const [failed, setFailed] = useState(false);
  if (failed) return <Note>This browser cannot play it. Download it to see it.</Note>;
  const player = {
    className: classes.player,
    src: source,
    controls: true,
    preload: "metadata",
    onError: () => setFailed(true),
    "aria-label": kind === "video" ? "Video" : "Sound",
  } as const;
  // What a team stores brings no captions of its own.
  return kind === "video" ? <video {...player} /> : <audio {...player} />;
}

function TextPreview({ source, file }: { source: string; file: StoredFile }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["beginning", source, file.id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => textBeginning(source, signal),
  });
  if (error) {
    return <ErrorPanel title="The text could not be read" error={error} onRetry={refetch} />;
  }
  if (data === undefined) return <Waiting what="Reading the text…" />;
  return (
    <figure className={classes.figure}>
      <pre className={classes.text} tabIndex={0}>
        {data}
      </pre>
      {file.size > MOST_TEXT && (
        <figcaption className={classes.caption}>
          The first {bytes(MOST_TEXT)} of {bytes(file.size)}. Download it to see the rest.
        </figcaption>
      )}
    </figure>
  );
}

function PdfPreview({ source, file }: { source: string; file: StoredFile }) {
  const shows = navigator.pdfViewerEnabled && file.size <= MOST_PDF;
  const { data, error, refetch } = useQuery({
    queryKey: ["pdf", source, file.id],
    enabled: shows,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => pdfBlob(source, signal),
  });
  const address = useObjectAddress(data);
  if (!shows) {
    return (
      <Note>
        {navigator.pdfViewerEnabled
          ? `A PDF of more than ${bytes(MOST_PDF)} is not shown here. Download it to see it.`
          : "This browser shows no PDFs within a page. Download it to see it."}
      </Note>
    );
  }
  if (error) {
    return <ErrorPanel title="The PDF could not be read" error={error} onRetry={refetch} />;
  }
  if (address === null) return <Waiting what="Reading the PDF…" />;
  return <iframe className={classes.pdf} src={address} title={nameOf(file.path)} />;
}

function useObjectAddress(blob: Blob | undefined): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => {
      setAddress(null);
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return address;
}

function Note({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed" className={classes.note}>
      {children}
    </Text>
  );
}
