// Charts over the passes, the newest at the right, with one cursor: files that were
// delivered and that failed, and how fast it went. A click opens the pass.
import { Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type uPlot from "uplot";
import type { Pass } from "../../api/types";
import { Chart, type ChartOptions, type Drawing, type Inks } from "../../components/Chart";
import { bytesPerSecond, count } from "../../format/numbers";
import { filesWords, type PassSeries, passWords, ratesWords, seriesOf } from "./passes";
import classes from "./Syncs.module.css";

const HEIGHT = 150;

/** `passes`, the newest first. */
export function PassCharts({ sync, passes }: { sync: string; passes: readonly Pass[] }) {
  const navigate = useNavigate();
  const [pointed, setPointed] = useState<number | null>(null);
  const series = useMemo(() => seriesOf(passes), [passes]);
  const files = useMemo<uPlot.AlignedData>(
    () => [series.places, series.ended, series.failed],
    [series],
  );
  const rates = useMemo<uPlot.AlignedData>(() => [series.places, series.rates], [series]);
  const shown = pointed === null ? undefined : series.passes[pointed];
  const both = {
    height: HEIGHT,
    // Its axis names these passes.
    of: `${sync} ${series.passes.length} ${series.passes.at(-1)?.id}`,
    onPoint: setPointed,
    onChoose: (place: number) => {
      const pass = series.passes[place];
      if (pass) void navigate({ to: "/operations/$id", params: { id: pass.id } });
    },
  };
  return (
    <div className={`card ${classes.charts}`}>
      <figure className={classes.figure}>
        <figcaption>
          Files: <span className={classes.good}>delivered</span> and{" "}
          <span className={classes.bad}>failed</span>
        </figcaption>
        <Chart
          {...both}
          label={filesWords(series)}
          data={files}
          options={(inks, drawing) => filesOptions(sync, series, inks, drawing)}
        />
      </figure>
      <figure className={classes.figure}>
        <figcaption>Throughput</figcaption>
        <Chart
          {...both}
          label={ratesWords(series)}
          data={rates}
          options={(inks) => ratesOptions(sync, series, inks)}
        />
      </figure>
      <Text size="sm" c="dimmed" className={classes.pointed}>
        {shown ? passWords(shown) : "Point at a pass to read it; a click opens it."}
      </Text>
    </div>
  );
}

function filesOptions(
  sync: string,
  series: PassSeries,
  inks: Inks,
  drawing: Drawing,
): ChartOptions {
  const bars = drawing.paths.bars?.({ size: [0.7, 28] });
  const bar = (ink: string) => ({
    fill: ink,
    width: 0,
    points: { show: false },
    ...(bars ? { paths: bars } : {}),
  });
  return frame(sync, series, inks, FILES, [bar(inks.good), bar(inks.bad)]);
}

function ratesOptions(sync: string, series: PassSeries, inks: Inks): ChartOptions {
  const line = {
    stroke: inks.good,
    width: 2,
    // Passes that sent nothing say nothing of how fast it goes.
    spanGaps: true,
    points: { show: true, size: 6, fill: inks.good },
  };
  return frame(sync, series, inks, RATES, [line]);
}

interface Scale {
  /** What stands beside a line of the grid. */
  say: (value: number) => string;
  /** How wide that may be. */
  room: number;
}

// There are no half files.
const FILES: Scale = { say: (value) => (Number.isInteger(value) ? count(value) : ""), room: 52 };
const RATES: Scale = { say: bytesPerSecond, room: 84 };

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function frame(
  sync: string,
  { passes }: PassSeries,
  inks: Inks,
  scale: Scale,
  series: uPlot.Series[],
): ChartOptions {
  const days = new Set(passes.map(({ started_at }) => date.format(new Date(started_at))));
  const axis = {
    stroke: inks.text,
    font: "12px system-ui",
    grid: { stroke: inks.line, width: 1 },
    ticks: { show: false },
  };
  return {
    padding: [10, 8, 0, 0],
    cursor: { sync: { key: `passes of ${sync}` }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: () => [-0.5, passes.length - 0.5] },
      y: { range: (_, __, most) => [0, (most || 1) * 1.08] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 70,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500],
        values: (_, places) =>
          places.map((place) => {
            const pass = passes[place];
            if (!pass) return "";
            return (days.size > 2 ? date : clock).format(new Date(pass.started_at));
          }),
      },
      {
        ...axis,
        size: scale.room,
        space: 34,
        values: (_, values) => values.map(scale.say),
      },
    ],
    series: [{}, ...series],
  };
}
