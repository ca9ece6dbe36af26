// The whole bundle in one bar: bytes, rate, time left, and the stage in a word.
import { Group, Text } from "@mantine/core";
import { isActive } from "../../api/feed";
import type { Bundle, OperationState } from "../../api/types";
import { useLiveStatus } from "../../api/use-live";
import { ProgressBar } from "../../components/ProgressBar";
import { Took } from "../../components/Times";
import { useNow } from "../../components/use-now";
import { bytes, count } from "../../format/numbers";
import classes from "./BundleProgress.module.css";
import { paceWords } from "./pace";
import { StageSteps } from "./StageSteps";
import { endSentence, figuresOf, shareOf, stageOf } from "./stage";
import type { BundleLive } from "./use-bundle-live";

const COLORS: Partial<Record<OperationState, string>> = {
  succeeded: "green.8",
  failed: "red.8",
  cancelled: "gray.6",
  interrupted: "orange.8",
};

export function BundleProgress({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const counts = live.rows.counts();
  const { operation } = bundle;
  const running = isActive(bundle);
  const { done, failed, bytes: fetched } = figuresOf(bundle, counts, !live.replaying);
  return (
    <section className={`card ${classes.panel}`} aria-label="Progress">
      <Group justify="space-between" gap="sm">
        <StageSteps stage={stageOf(bundle)} state={bundle.state} />
        {operation?.started_at && (
          <Text size="sm" c="dimmed">
            {running ? "For " : "Took "}
            <Took from={operation.started_at} to={operation.ended_at ?? null} />
          </Text>
        )}
      </Group>
      <ProgressBar
        size={10}
        active={running}
        percent={shareOf(bundle, counts)}
        color={COLORS[bundle.state]}
        label={`Progress of ${bundle.name}`}
      />
      <div className={classes.figures}>
        <Figure name="Files" value={`${count(done)} of ${count(bundle.sources)}`} />
        <Figure name="Failed" value={count(failed)} alarming={failed > 0} />
        <Figure name="Fetched" value={bytes(fetched)} />
        {running ? (
          <Speed live={live} bundle={bundle} />
        ) : (
          <Figure name="State" value={endSentence(bundle)} wide />
        )}
      </div>
      <LogRemark bundle={bundle} live={live} />
    </section>
  );
}

// How much of the log the rows below know.
function LogRemark({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const words = live.gone
    ? "The log of this bundle is gone, so what became of each source is not known."
    : live.replaying
      ? `Reading the log: ${count(live.read)} of ${count(bundle.operation?.last_seq ?? 0)} lines.`
      : live.lost > 0
        ? `${count(live.lost)} lines of this log have expired, so some rows below are not known.`
        : null;
  return (
    words && (
      <Text size="sm" c="dimmed" role="status">
        {words}
      </Text>
    )
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
  const { phase } = useLiveStatus();
  const words = paceWords(bundle, phase, {
    rate: live.meter.rate(now),
    left: live.fileMeter.timeLeft(bundle.operation?.progress?.total ?? null, now),
    stalled: live.meter.stalledFor(now),
  });
  return (
    <>
      <Figure name="Rate" value={words.rate} />
      <Figure name="Time left" value={words.left} wide />
    </>
  );
}
