// What is being uploaded, from whichever page. It comes with the first upload and goes
// when the reader closes it.
import { ActionIcon, Button, Group, Text, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useSession } from "../api/session";
import { ProgressBar } from "../components/ProgressBar";
import { useQuickNow } from "../components/use-now";
import { bytes, bytesPerSecond, count, counted, percent } from "../format/numbers";
import { RateMeter } from "../format/rate";
import { aboutLeft } from "../format/times";
import { InterruptedNote } from "./InterruptedNote";
import { type Counts, OCCUPIED, type Transfer, type TransferState } from "./queue";
import { TransferRow } from "./TransferRow";
import classes from "./TransferTray.module.css";
import { transfers, useLeaveWarning, useRetryOnline, useTransfers } from "./transfers";

// More rows than anybody reads; what follows is counted.
const SHOWN = 100;
const FIRST: readonly TransferState[] = ["sending", "failed", "paused", "waiting", "done"];

export function TransferTray() {
  const queue = useTransfers();
  const [folded, setFolded] = useState(false);
  const counts = queue.counts();
  useLeaveWarning(queue.busy);
  useRetryOnline();
  useOwner();
  const whole = queue.all.length;
  const shown = whole > 0;
  useRoomBelow(shown);
  if (!shown) return <InterruptedNote />;
  const rows = folded ? [] : firstOf(queue.all);
  const running = counts.sending + counts.waiting;
  const toggle = () => setFolded((before) => !before);
  const Chevron = folded ? IconChevronUp : IconChevronDown;
  return (
    <section className={classes.tray} aria-label="Uploads">
      <header className={classes.head}>
        <Summary counts={counts} whole={whole} />
        <Group gap={2} wrap="nowrap">
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label={folded ? "Show the uploads" : "Fold the uploads"}
            aria-expanded={!folded}
            onClick={toggle}
          >
            <Chevron size={17} aria-hidden />
          </ActionIcon>
          {running === 0 && (
            <Tooltip label="Close">
              <ActionIcon
                variant="subtle"
                color="gray"
                size={28}
                aria-label="Close the list of uploads"
                onClick={() => queue.clearEnded()}
                disabled={counts.paused > 0}
              >
                <IconX size={17} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </header>
      {running > 0 && (
        <ProgressBar
          size={4}
          active
          percent={percent(counts.sent, counts.bytes) ?? 100}
          label="All uploads"
        />
      )}
      {!folded && (
        <>
          <ul className={classes.rows} tabIndex={0} aria-label="Files that are uploaded">
            {rows.map((transfer) => (
              <TransferRow key={transfer.id} transfer={transfer} queue={queue} />
            ))}
            {whole > rows.length && (
              <li className={classes.more}>and {count(whole - rows.length)} more</li>
            )}
          </ul>
          <WholeActions counts={counts} />
        </>
      )}
    </section>
  );
}

function Summary({ counts, whole }: { counts: Counts; whole: number }) {
  const now = useQuickNow();
  const meter = useRef(new RateMeter());
  const { sending, waiting, failed, paused, done, sent, bytes: total } = counts;
  const running = sending + waiting > 0;
  if (running) meter.current.add(sent, now);
  const rate = meter.current.rate(now);
  const left = meter.current.timeLeft(total, now);
  const title = running
    ? `Uploading ${count(done + 1)} of ${counted(whole, "file")}`
    : failed > 0
      ? `${counted(failed, "upload")} failed`
      : paused > 0
        ? `${counted(paused, "upload")} paused`
        : `${counted(done, "file")} uploaded`;
  return (
    <div className={classes.summary}>
      <Text fw={600} size="sm" role="status">
        {title}
      </Text>
      <Text size="xs" c="dimmed" className="figures ellipsis">
        {running
          ? [
              `${bytes(sent)} of ${bytes(total)}`,
              rate ? bytesPerSecond(rate) : null,
              left === null ? null : aboutLeft(left),
            ]
              .filter(Boolean)
              .join(" · ")
          : `${count(done)} of ${count(whole)} arrived`}
      </Text>
    </div>
  );
}

function WholeActions({ counts }: { counts: Counts }) {
  const occupied = transfers.all.filter(isOccupied).length;
  const others = counts.failed - occupied;
  const unfinished = counts.sending + counts.waiting + counts.paused;
  if (Math.max(occupied, others, unfinished) < 2) return null;
  return (
    <Group gap="xs" className={classes.foot}>
      {occupied > 1 && (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => transfers.retryAll(isOccupied, true)}
        >
          Replace all {count(occupied)}
        </Button>
      )}
      {others > 1 && (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => transfers.retryAll((transfer) => failedOtherwise(transfer))}
        >
          Retry all {count(others)}
        </Button>
      )}
      {unfinished > 1 && (
        <Button size="compact-sm" variant="default" onClick={() => transfers.cancelAll()}>
          Cancel all
        </Button>
      )}
    </Group>
  );
}

const isOccupied = ({ state, error }: Transfer) => state === "failed" && error?.code === OCCUPIED;
const failedOtherwise = (transfer: Transfer) =>
  transfer.state === "failed" && !isOccupied(transfer);

function firstOf(all: readonly Transfer[]): Transfer[] {
  const rows: Transfer[] = [];
  for (const wanted of FIRST) {
    for (const transfer of all) {
      if (rows.length >= SHOWN) return rows;
      if (transfer.state === wanted) rows.push(transfer);
    }
  }
  return rows;
}

// Another user's uploads are not for whoever logs in next; the same user's wait.
function useOwner(): void {
  const user = useSession()?.user.id;
  const owner = useRef(user);
  useEffect(() => {
    if (user === undefined) return;
    if (owner.current !== undefined && owner.current !== user) transfers.abandon();
    owner.current = user;
  }, [user]);
}

// Toasts and the ends of pages keep clear of the tray.
function useRoomBelow(shown: boolean): void {
  useEffect(() => {
    document.documentElement.toggleAttribute("data-uploads", shown);
    return () => document.documentElement.removeAttribute("data-uploads");
  }, [shown]);
}
