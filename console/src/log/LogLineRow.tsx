// One line: number, time, stream, text. Only the text is copied with a selection.
import { memo, useMemo } from "react";
import type { LiveLine } from "../api/live";
import { clockTime } from "../format/times";
import { type Piece, parseAnsi } from "./ansi";
import ansi from "./ansi.module.css";
import classes from "./LogView.module.css";
import type { LogSettings } from "./log-settings";
import { markWords } from "./mark-words";

interface LogLineRowProps {
  index: number;
  measure: ((element: HTMLElement | null) => void) | undefined;
  seq: number;
  line: LiveLine | undefined;
  gap: string | undefined;
  settings: LogSettings;
  operation: string;
  marked: boolean;
  /** Whether Tab stops at its link. */
  reachable: boolean;
  hit: boolean;
  words: string;
  onMark: (seq: number) => void;
}

const STREAM_MARKS = { stdout: "", stderr: "err", system: "sys" } as const;

export const LogLineRow = memo(function LogLineRow(props: LogLineRowProps) {
  const { seq, line, gap, settings } = props;
  return (
    <div
      ref={props.measure}
      data-index={props.index}
      data-seq={seq}
      data-stream={line?.stream}
      data-marked={props.marked}
      data-hit={props.hit}
      className={classes.line}
    >
      {settings.numbers && (
        // biome-ignore lint/a11y/useAnchorContent: the number is drawn, so that it is not copied
        <a
          className={classes.number}
          href={`/operations/${props.operation}#L${seq}`}
          aria-label={`Link to line ${seq}`}
          data-number={seq}
          tabIndex={props.reachable ? 0 : -1}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            props.onMark(seq);
          }}
        />
      )}
      {settings.times && (
        <span className={classes.time} data-time={line ? clockTime(line.time) : ""} aria-hidden />
      )}
      <span className={classes.stream} data-mark={line ? STREAM_MARKS[line.stream] : ""} />
      {line ? (
        <LineText text={line.text} words={props.words} />
      ) : (
        <span className={classes.missing}>
          {gap === undefined
            ? "…"
            : gap === "expired"
              ? "This line has expired"
              : `Missing: ${gap}`}
        </span>
      )}
    </div>
  );
});

function LineText({ text, words }: { text: string; words: string }) {
  const pieces = useMemo(() => parseAnsi(text), [text]);
  return (
    <span className={classes.text}>
      {pieces.map((piece, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one line never move
        <PieceText key={at} piece={piece} words={words} />
      ))}
    </span>
  );
}

function PieceText({ piece, words }: { piece: Piece; words: string }) {
  const parts = words ? markWords(piece.text, words) : null;
  const content = parts
    ? parts.map(({ text, marked }, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of one piece never move
        marked ? <mark key={at}>{text}</mark> : text,
      )
    : piece.text;
  if (!piece.classes && !piece.color && !piece.background) return content;
  const names = piece.classes
    .split(" ")
    .map((name) => ansi[name] ?? "")
    .join(" ");
  return (
    <span className={names} style={{ color: piece.color, backgroundColor: piece.background }}>
      {content}
    </span>
  );
}
