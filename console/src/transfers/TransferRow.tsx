// One upload: how far it is, and what can be done about it.
import { ActionIcon, Button, Text, Tooltip } from "@mantine/core";
import {
  IconAlertCircle,
  IconCircleCheck,
  IconPlayerPause,
  IconPlayerPlay,
  IconX,
} from "@tabler/icons-react";
import { type ReactNode, useRef } from "react";
import { ProgressBar } from "../components/ProgressBar";
import { useQuickNow } from "../components/use-now";
import { bytes, bytesPerSecond, percent } from "../format/numbers";
import { RateMeter } from "../format/rate";
import { aboutLeft, span } from "../format/times";
import { OCCUPIED, type Transfer, type TransferQueue } from "./queue";
import classes from "./TransferTray.module.css";

interface TransferRowProps {
  transfer: Transfer;
  queue: TransferQueue;
}

export function TransferRow({ transfer, queue }: TransferRowProps) {
  const { id, path, file, state, sent, resumable, error } = transfer;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const ended = state === "done" || state === "failed";
  const occupied = error?.code === OCCUPIED;
  return (
    <li className={classes.row} data-state={state}>
      <div className={classes.name}>
        <Text size="sm" className="ellipsis" title={path}>
          {path}
        </Text>
        {state === "sending" && <Pace transfer={transfer} />}
        {state === "waiting" && <Note>Waiting, {bytes(file.size)}</Note>}
        {state === "paused" && (
          <Note>
            Paused at {bytes(sent)} of {bytes(file.size)}
          </Note>
        )}
        {state === "done" && (
          <Note>
            <IconCircleCheck size={14} aria-hidden className={classes.good} /> Uploaded,{" "}
            {bytes(file.size)}
          </Note>
        )}
        {state === "failed" && (
          <Text size="xs" className={classes.bad}>
            <IconAlertCircle size={14} aria-hidden />{" "}
            {occupied ? "A file lies there already; nothing was changed." : error?.message}
          </Text>
        )}
        {state === "sending" && (
          <ProgressBar
            size={3}
            active
            percent={file.size === 0 ? 100 : percent(sent, file.size)}
            label={`Upload of ${name}`}
          />
        )}
      </div>
      <div className={classes.acts}>
        {state === "failed" && (
          <Button
            size="compact-xs"
            mih={24}
            variant="default"
            onClick={() => queue.retry(id, occupied || undefined)}
            aria-label={`${occupied ? "Replace" : "Retry"} ${name}`}
          >
            {occupied ? "Replace" : "Retry"}
          </Button>
        )}
        {resumable && state === "sending" && (
          <Act label={`Pause ${name}`} onClick={() => queue.pause(id)}>
            <IconPlayerPause size={15} aria-hidden />
          </Act>
        )}
        {state === "paused" && (
          <Act label={`Go on with ${name}`} onClick={() => queue.retry(id)}>
            <IconPlayerPlay size={15} aria-hidden />
          </Act>
        )}
        <Act label={`${ended ? "Dismiss" : "Cancel"} ${name}`} onClick={() => queue.cancel(id)}>
          <IconX size={15} aria-hidden />
        </Act>
      </div>
    </li>
  );
}

function Pace({ transfer: { sent, file } }: { transfer: Transfer }) {
  const now = useQuickNow();
  const meter = useRef(new RateMeter());
  meter.current.add(sent, now);
  const rate = meter.current.rate(now);
  const left = meter.current.timeLeft(file.size, now);
  const still = meter.current.stalledFor(now);
  if (still !== null) {
    const all = sent >= file.size;
    return (
      <Note>
        {all
          ? `All of it is sent; the server has not answered for ${span(still)}`
          : `Nothing has moved for ${span(still)}; it goes on by itself once the line does`}
      </Note>
    );
  }
  const words = [`${bytes(sent)} of ${bytes(file.size)}`];
  if (rate) words.push(bytesPerSecond(rate));
  if (left !== null && sent < file.size) words.push(aboutLeft(left));
  return <Note>{words.join(" · ")}</Note>;
}

function Note({ children }: { children: ReactNode }) {
  return (
    <Text size="xs" c="dimmed" className={`figures ${classes.note}`}>
      {children}
    </Text>
  );
}

interface ActProps {
  label: string;
  onClick: () => void;
  children: ReactNode;
}

function Act({ label, onClick, children }: ActProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={26} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
