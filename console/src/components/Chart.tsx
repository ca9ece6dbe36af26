// A chart by uPlot, drawn on a canvas in the colours of the scheme. It is one picture with
// one sentence to who does not see it: what can be done with its parts is offered beside it.
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import classes from "./Chart.module.css";

/** Colours as the scheme has them now. */
export interface Inks {
  text: string;
  line: string;
  good: string;
  bad: string;
}

export type ChartOptions = Omit<uPlot.Options, "width" | "height">;

interface ChartProps {
  /** What it says, in a sentence. */
  label: string;
  height: number;
  data: uPlot.AlignedData;
  options: (inks: Inks) => ChartOptions;
  /** When this changes, the options are asked for anew. */
  of: string;
  /** At which place of the data the pointer is, or null. */
  onPoint?: (place: number | null) => void;
  onChoose?: (place: number) => void;
}

export function Chart({ label, height, data, options, of, onPoint, onChoose }: ChartProps) {
  const { ref, width } = useElementSize();
  const canvas = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme();
  const latest = useRef({ data, options, onPoint, onChoose, width });
  latest.current = { data, options, onPoint, onChoose, width };
  const wide = width > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` and the scheme stand for the options
  useEffect(() => {
    if (!canvas.current || !wide) return;
    const { options, data, width } = latest.current;
    const drawn = new uPlot(
      withPointer(options(inksOf(canvas.current)), height, width, latest),
      data,
      canvas.current,
    );
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.destroy();
    };
  }, [of, scheme, height, wide]);
  useEffect(() => chart.current?.setData(data), [data]);
  useEffect(() => {
    if (width > 0) chart.current?.setSize({ width, height });
  }, [width, height]);
  return (
    <div ref={ref} className={classes.chart} role="img" aria-label={label} style={{ height }}>
      <div ref={canvas} data-chooses={onChoose ? true : undefined} />
    </div>
  );
}

type Latest = { current: Pick<ChartProps, "onPoint" | "onChoose"> };

function withPointer(
  options: ChartOptions,
  height: number,
  width: number,
  latest: Latest,
): uPlot.Options {
  return {
    ...options,
    width,
    height,
    legend: { show: false },
    hooks: {
      setCursor: [({ cursor }) => latest.current.onPoint?.(cursor.idx ?? null)],
      ready: [
        (drawn) => {
          drawn.over.addEventListener("click", () => {
            const place = drawn.cursor.idx;
            if (place !== null && place !== undefined) latest.current.onChoose?.(place);
          });
        },
      ],
    },
  };
}

function inksOf(within: HTMLElement): Inks {
  const style = getComputedStyle(within);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour("--mantine-color-dimmed"),
    line: colour("--ls-line"),
    good: colour("--ls-chart-good"),
    bad: colour("--ls-chart-bad"),
  };
}
