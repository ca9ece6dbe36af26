// A chart by uPlot, drawn on a canvas in the colours of the scheme. It is one picture with
// one sentence to who does not see it: what can be done with its parts is offered beside it.
// What draws is loaded when the first chart is shown; its place is kept meanwhile.
import { Text, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import type uPlot from "uplot";
import classes from "./Chart.module.css";

/** Colours as the scheme has them now. */
export interface Inks {
  text: string;
  line: string;
  good: string;
  bad: string;
}

export type ChartOptions = Omit<uPlot.Options, "width" | "height">;

/** The program that draws. */
export type Drawing = typeof uPlot;

interface ChartProps {
  /** What it says, in a sentence. */
  label: string;
  height: number;
  data: uPlot.AlignedData;
  options: (inks: Inks, drawing: Drawing) => ChartOptions;
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
  const drawing = useDrawing();
  const scheme = useComputedColorScheme();
  const latest = useRef({ data, options, onPoint, onChoose, width });
  latest.current = { data, options, onPoint, onChoose, width };
  const wide = width > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` and the scheme stand for the options
  useEffect(() => {
    if (!canvas.current || !wide || !drawing || drawing === "failed") return;
    const { options, data, width } = latest.current;
    const drawn = new drawing(
      withPointer(options(inksOf(canvas.current), drawing), height, width, latest),
      data,
      canvas.current,
    );
    chart.current = drawn;
    return () => {
      chart.current = null;
      drawn.destroy();
    };
  }, [of, scheme, height, wide, drawing]);
  useEffect(() => chart.current?.setData(data), [data]);
  useEffect(() => {
    if (width > 0) chart.current?.setSize({ width, height });
  }, [width, height]);
  return (
    <div ref={ref} className={classes.chart} role="img" aria-label={label} style={{ height }}>
      <div ref={canvas} data-chooses={onChoose ? true : undefined} />
      {drawing === "failed" && (
        <Text size="sm" c="dimmed">
          The chart could not be loaded. Reload the page to try again.
        </Text>
      )}
    </div>
  );
}

/** What draws, once it is loaded. */
function useDrawing(): Drawing | "failed" | null {
  const [drawing, setDrawing] = useState<Drawing | "failed" | null>(null);
  useEffect(() => {
    let wanted = true;
    const show = (found: Drawing | "failed") => {
      if (wanted) setDrawing(() => found);
    };
    import("./uplot").then(
      (loaded) => show(loaded.default),
      () => show("failed"),
    );
    return () => {
      wanted = false;
    };
  }, []);
  return drawing;
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
