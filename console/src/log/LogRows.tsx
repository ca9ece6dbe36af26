// The scrolling part of a log. Follows the end until the reader scrolls up, and
// from then on nothing but the reader moves the scroll.
import { Button } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { count, counted } from "../format/numbers";
import { afterScroll, atEnd, type FollowState, newLines } from "./follow";
import { LogLineRow } from "./LogLineRow";
import classes from "./LogView.module.css";
import type { LogSettings } from "./log-settings";
import type { LogStore } from "./log-store";
import type { LogSearch } from "./use-log-search";
import { useLogWindow } from "./use-log-window";

interface LogRowsProps {
  store: LogStore;
  version: number;
  settings: LogSettings;
  live: boolean;
  operation: string;
  target: number | null;
  search: LogSearch;
  onMark: (seq: number) => void;
}

const LINE_PX = 20;

export function LogRows(props: LogRowsProps) {
  const { store, version, settings, live, target, search } = props;
  const frame = useRef<HTMLDivElement>(null);
  const before = useRef(0);
  const [follow, setFollow] = useState<FollowState>({
    following: live && target === null,
    leftAt: store.last,
  });
  const { from, to, reveal, earlier, later } = useLogWindow(store, follow.following, target);
  const virtual = useVirtualizer({
    count: Math.max(0, to - from + 1),
    getScrollElement: () => frame.current,
    estimateSize: () => LINE_PX,
    getItemKey: useCallback((index: number) => from + index, [from]),
    overscan: 20,
    paddingStart: 6,
    paddingEnd: 6,
  });
  const items = virtual.getVirtualItems();
  const firstShown = from + (items[0]?.index ?? 0);
  const lastShown = from + (items.at(-1)?.index ?? 0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version may have gaps to fill
  useEffect(() => store.want(firstShown, lastShown), [store, version, firstShown, lastShown]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows get other heights
  useEffect(() => virtual.measure(), [settings.wrap]);

  const total = virtual.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever grows, the end stays in sight
  useLayoutEffect(() => {
    const view = frame.current;
    if (!follow.following || !view) return;
    view.scrollTop = view.scrollHeight;
    before.current = view.scrollTop;
  }, [follow.following, version, total]);

  const show = (seq: number) => {
    reveal(seq);
    setFollow((state) => (state.following ? { following: false, leftAt: store.last } : state));
    setJump(seq);
  };
  const [jump, setJump] = useState<number | null>(target);
  // biome-ignore lint/correctness/useExhaustiveDependencies: jumps once the line is in the window
  useLayoutEffect(() => {
    if (jump === null || jump < from || jump > to) return;
    virtual.scrollToIndex(jump - from, { align: "center" });
    setJump(null);
  }, [jump, from, to]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a hit is shown when it becomes the current one
  useEffect(() => {
    if (search.current !== null) show(search.current);
  }, [search.current, search.steps]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another line in the address is gone to, unless it is in sight
  useEffect(() => {
    if (target === null || isInSight(frame.current, target)) return;
    show(target);
  }, [target]);

  const scrolled = () => {
    const view = frame.current;
    if (!view) return;
    const was = before.current;
    before.current = view.scrollTop;
    setFollow((state) => {
      const next = afterScroll(state, was, view, store.last, later === null);
      return next.following && !state.following && !live ? state : next;
    });
  };
  const toEnd = () => {
    reveal(store.last);
    setFollow({ following: true, leftAt: store.last });
  };
  const missed = newLines(follow, store.last);
  const above = later !== null || (frame.current !== null && !atEnd(frame.current));
  const away = !follow.following && live && above;
  const inSight = virtual.range ? from + virtual.range.startIndex : firstShown;
  const entry = target !== null && firstShown <= target && target <= lastShown ? target : inSight;
  return (
    <div className={classes.rows}>
      {earlier && (
        <button type="button" className={classes.more} onClick={() => show(earlier.line)}>
          Show the {counted(earlier.lines, "earlier line")}
        </button>
      )}
      <div
        ref={frame}
        className={classes.frame}
        data-wrap={settings.wrap}
        data-following={follow.following}
        tabIndex={0}
        role="region"
        aria-label="Log lines"
        onScroll={scrolled}
        onKeyDown={(event) => {
          if (event.key === "End") toEnd();
          else moveBetweenLinks(event);
        }}
      >
        <div className={classes.body} style={{ height: total }}>
          <div
            className={classes.items}
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map((item) => {
              const seq = from + item.index;
              return (
                <LogLineRow
                  key={item.key}
                  index={item.index}
                  measure={settings.wrap ? virtual.measureElement : undefined}
                  seq={seq}
                  line={store.line(seq)}
                  gap={store.gapAt(seq)}
                  settings={settings}
                  operation={props.operation}
                  marked={seq === target}
                  reachable={seq === entry}
                  hit={seq === search.current}
                  words={search.regex ? "" : search.text}
                  onMark={props.onMark}
                />
              );
            })}
          </div>
        </div>
      </div>
      {later && (
        <button type="button" className={classes.more} onClick={() => show(later.line)}>
          Show the {counted(later.lines, "later line")}
        </button>
      )}
      {(away || missed > 0) && (
        <Button
          className={classes.toEnd}
          size="compact-sm"
          radius="xl"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={toEnd}
        >
          {missed > 0 ? `${count(missed)} new ${missed === 1 ? "line" : "lines"}` : "Follow"}
        </Button>
      )}
    </div>
  );
}

function isInSight(frame: HTMLElement | null, seq: number): boolean {
  const row = frame?.querySelector(`[data-seq="${seq}"]`);
  if (!frame || !row) return false;
  const [view, line] = [frame.getBoundingClientRect(), row.getBoundingClientRect()];
  return line.top >= view.top && line.bottom <= view.bottom;
}

// Tab reaches one line's link; from there the arrows go from line to line.
function moveBetweenLinks(event: KeyboardEvent): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const row = (event.target as HTMLElement).closest("a")?.closest("[data-seq]");
  if (!row) return;
  const next = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  event.preventDefault();
  next?.querySelector("a")?.focus();
}
