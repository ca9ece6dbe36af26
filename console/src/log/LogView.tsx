// One operation's log: virtual rows, live end, search, links to lines. Text is
// only ever put in as text.
import { FocusTrap, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Operation } from "../api/types";
import { ErrorPanel } from "../components/ErrorPanel";
import { LogRows } from "./LogRows";
import { LogToolbar } from "./LogToolbar";
import classes from "./LogView.module.css";
import { useLogSettings } from "./log-settings";
import { useLog } from "./use-log";
import { useLogSearch } from "./use-log-search";

interface LogViewProps {
  operation: Operation;
  /** The line that the address points at. */
  target: number | null;
}

export function LogView({ operation, target }: LogViewProps) {
  const navigate = useNavigate();
  const { store, version } = useLog(operation);
  const [settings, setSettings] = useLogSettings();
  const search = useLogSearch(operation.id, store.last);
  const [full, setFull] = useState(false);
  useEscape(full, () => setFull(false));
  const markLine = (seq: number) => {
    void navigate({ to: ".", search: true, hash: `L${seq}`, replace: true, resetScroll: false });
  };
  return (
    <FocusTrap active={full}>
      <section className={`card ${classes.view}`} data-full={full} aria-label="Log">
        <LogToolbar
          operation={operation}
          settings={settings}
          onSettings={setSettings}
          search={search}
          full={full}
          onFull={setFull}
        />
        {store.error !== null && store.error !== undefined && (
          <ErrorPanel
            title="Some lines could not be read"
            error={store.error}
            onRetry={() => store.retry()}
          />
        )}
        {store.last < store.first ? (
          <Text className={classes.nothing} size="sm" role="status">
            {store.ended || operation.ended_at
              ? "This operation wrote no lines."
              : operation.state === "queued"
                ? "Waiting for its turn. Lines appear here as soon as it starts."
                : "Running, no line written yet."}
          </Text>
        ) : (
          <LogRows
            store={store}
            version={version}
            settings={settings}
            live={operation.ended_at === null || operation.ended_at === undefined}
            operation={operation.id}
            target={target}
            search={search}
            onMark={markLine}
          />
        )}
      </section>
    </FocusTrap>
  );
}

function useEscape(active: boolean, leave: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what leaving does stays the same
  useEffect(() => {
    if (!active) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) leave();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [active]);
}
