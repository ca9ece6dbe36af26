// The filtered list as CSV, as JSON, or as the call that gives it.
import { Button, Group, Menu, Text } from "@mantine/core";
import { IconCopy, IconDownload, IconFileTypeCsv, IconJson } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { copyText } from "../../components/copy";
import { ErrorPanel } from "../../components/ErrorPanel";
import { count } from "../../format/numbers";
import { MOST_EXPORTED, readAll, save, toCsv } from "./export";
import { type Filters, toApiCall } from "./filters";

export function ExportMenu({ filters }: { filters: Filters }) {
  const [read, setRead] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [note, setNote] = useState("");
  const button = useRef<HTMLButtonElement>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const run = async (format: "csv" | "json") => {
    const controller = new AbortController();
    stop.current = controller;
    setError(null);
    setNote("");
    setRead(0);
    try {
      const all = await readAll(filters, setRead, controller.signal);
      if (format === "csv") save(toCsv(all), "text/csv", "operations.csv");
      else save(JSON.stringify(all, null, 2), "application/json", "operations.json");
      if (all.length === MOST_EXPORTED) setNote(`Cut off at ${count(MOST_EXPORTED)} rows`);
    } catch (failure) {
      if (!controller.signal.aborted) setError(failure);
    } finally {
      setRead(null);
    }
  };
  const reading = read !== null;
  return (
    <>
      {reading && (
        <Group gap="xs">
          <Text size="sm" role="status" className="figures">
            Reading {count(read)} rows…
          </Text>
          <Button
            variant="default"
            size="xs"
            onClick={() => {
              stop.current?.abort();
              button.current?.focus();
            }}
          >
            Stop
          </Button>
        </Group>
      )}
      {note && (
        <Text size="sm" c="dimmed" role="status">
          {note}
        </Text>
      )}
      {error !== null && (
        <ErrorPanel title="The export failed" error={error} onDismiss={() => setError(null)} />
      )}
      <Menu position="bottom-end" disabled={reading}>
        <Menu.Target>
          <Button
            ref={button}
            variant="default"
            aria-disabled={reading || undefined}
            data-disabled={reading || undefined}
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconFileTypeCsv size={16} aria-hidden />}
            onClick={() => run("csv")}
          >
            This list as CSV
          </Menu.Item>
          <Menu.Item leftSection={<IconJson size={16} aria-hidden />} onClick={() => run("json")}>
            This list as JSON
          </Menu.Item>
          <Menu.Item
            leftSection={<IconCopy size={16} aria-hidden />}
            onClick={async () => {
              const copied = await copyText(toApiCall(filters, location.origin, Date.now()));
              setNote(copied ? "API call copied" : "Copying is not allowed here");
            }}
          >
            Copy as an API call
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
