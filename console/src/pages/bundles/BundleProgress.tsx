// The whole bundle in one bar: bytes, rate, time left, and the stage in a word.
import { Group, Text } from "@mantine/core";
import { isActive } from "../../api/feed";
import type { Bundle } from "../../api/types";
import { ProgressBar } from "../../components/ProgressBar";
import { Took } from "../../components/Times";
import { useNow } from "../../components/use-now";
import { bytes, bytesPerSecond, count, percent } from "../../format/numbers";
import { aboutLeft, span } from "../../format/times";
import classes from "./BundleProgress.module.css";
import { StageSteps } from "./StageSteps";
import type { SourceCounts } from "./source-rows";
import { stageOf, stageSentence } from "./stage";
import { type BundleLive, movedBytes } from "./use-bundle-live";

export function BundleProgress({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const counts = live.rows.counts();
  const { operation } = bundle;
  const running = isActive(bundle);
  const share = running ? runningShare(bundle, counts) : 100;
  const stage = stageOf(bundle, counts);
  const color =
    bundle.state === "failed" ? "red.8" : bundle.state === "succeeded" ? "green.8" : undefined;
  return (
    <section className={`card ${classes.panel}`} aria-label="Progress">
      <Group justify="space-between" gap="sm">
        <StageSteps stage={stage} ended={!running} />
        <Text size="sm" c="dimmed">
          <Took from={operation?.started_at ?? null} to={operation?.ended_at ?? null} />
        </Text>
      </Group>
      <ProgressBar
        size={10}
        active={running}
        percent={bundle.state === "queued" ? 0 : share}
        color={color}
        label={`Progress of ${bundle.name}`}
      />
      <div className={classes.figures}>
        <Figure name="Files" value={`${count(counts.done)} of ${count(counts.total)}`} />
        <Figure name="Failed" value={count(counts.failed)} alarming={counts.failed > 0} />
        <Figure name="Fetched" value={bytes(fetchedBytes(bundle, counts))} />
        {running ? (
          <Speed live={live} bundle={bundle} />
        ) : (
          <Figure name="State" value={stageSentence(bundle, counts)} wide />
        )}
      </div>
      {live.lost > 0 && (
        <Text size="sm" c="dimmed">
          {count(live.lost)} lines of this log have expired, so some rows below are unknown. The
          counts above are whole.
        </Text>
      )}
    </section>
  );
}

interface FigureProps {
  name: string;
  value: string;
  alarming?: boolean;
  wide?: boolean;
}

function Figure({ name, value, alarming, wide }: FigureProps) {
  return (
    <div className={classes.figure} data-wide={wide}>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fw={600} className="figures" c={alarming ? "var(--mantine-color-error)" : undefined}>
        {value}
      </Text>
    </div>
  );
}

function Speed({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const now = useNow();
  const rate = live.meter.rate(now);
  const left = live.fileMeter.timeLeft(bundle.operation?.progress?.total ?? null, now);
  const stalled = live.meter.stalledFor(now);
  return (
    <>
      <Figure name="Rate" value={rate === null ? "measuring" : bytesPerSecond(rate)} />
      <Figure
        name="Time left"
        wide
        value={
          stalled !== null
            ? `no bytes for ${span(stalled)}: the origins are slow`
            : left === null
              ? "not known yet"
              : aboutLeft(left)
        }
      />
    </>
  );
}

// By what the operation counts, or until it does by its sources.
function runningShare(bundle: Bundle, counts: SourceCounts): number | null {
  const progress = bundle.operation?.progress;
  const byProgress = progress ? percent(progress.done, progress.total) : null;
  return byProgress ?? percent(counts.done + counts.failed, counts.total);
}

function fetchedBytes(bundle: Bundle, counts: SourceCounts): number {
  const reported = bundle.operation ? movedBytes(bundle.operation) : 0;
  return Math.max(reported, counts.bytes, bundle.bytes);
}
