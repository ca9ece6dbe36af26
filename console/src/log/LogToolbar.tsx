// Search, reading switches, download.
import { ActionIcon, Group, Text, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import {
  IconArrowsMaximize,
  IconArrowsMinimize,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconListNumbers,
  IconRegex,
  IconSearch,
  IconTextWrap,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { asProblem } from "../api/problem";
import type { Operation } from "../api/types";
import { count } from "../format/numbers";
import { TYPING_PAUSE_MS } from "../frame/typing";
import { SEARCH_HERE } from "../frame/use-keys";
import { DownloadMenu } from "./DownloadMenu";
import classes from "./LogView.module.css";
import type { LogSettings } from "./log-settings";
import type { LogSearch } from "./use-log-search";

interface LogToolbarProps {
  operation: Operation;
  settings: LogSettings;
  onSettings: (change: Partial<LogSettings>) => void;
  search: LogSearch;
  full: boolean;
  onFull: (full: boolean) => void;
}

export function LogToolbar(props: LogToolbarProps) {
  const { operation, settings, onSettings, search, full, onFull } = props;
  const flip = (name: keyof LogSettings) => onSettings({ [name]: !settings[name] });
  return (
    <div className={classes.toolbar}>
      <SearchField search={search} />
      <Group gap={2} wrap="nowrap" ml="auto">
        <Switch label="Wrap long lines" on={settings.wrap} onClick={() => flip("wrap")}>
          <IconTextWrap size={17} aria-hidden />
        </Switch>
        <Switch label="Show times" on={settings.times} onClick={() => flip("times")}>
          <IconClock size={17} aria-hidden />
        </Switch>
        <Switch label="Show line numbers" on={settings.numbers} onClick={() => flip("numbers")}>
          <IconListNumbers size={17} aria-hidden />
        </Switch>
        <DownloadMenu operation={operation.id} />
        <Switch label="Fill the window" on={full} first={full} onClick={() => onFull(!full)}>
          {full ? (
            <IconArrowsMinimize size={17} aria-hidden />
          ) : (
            <IconArrowsMaximize size={17} aria-hidden />
          )}
        </Switch>
      </Group>
    </div>
  );
}

interface SwitchProps {
  label: string;
  on: boolean;
  /** Where focus stays when the log fills the window. */
  first?: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Switch({ label, on, first, onClick, children }: SwitchProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={on ? "light" : "subtle"}
        color={on ? "indigo" : "gray"}
        size={32}
        aria-label={label}
        aria-pressed={on}
        data-autofocus={first || undefined}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

function SearchField({ search }: { search: LogSearch }) {
  const [typed, setTyped] = useState("");
  const send = useDebouncedCallback(search.setText, TYPING_PAUSE_MS);
  const found = search.text !== "" && search.error === null;
  return (
    <div className={classes.search}>
      <TextInput
        size="sm"
        className={classes.field}
        aria-label="Search the whole log"
        placeholder="Search the whole log ( / )"
        leftSection={<IconSearch size={15} aria-hidden />}
        error={search.error ? asProblem(search.error).message : undefined}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          send(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") search.step(event.shiftKey ? -1 : 1);
          if (event.key === "Escape" && typed !== "") {
            event.preventDefault();
            setTyped("");
            search.setText("");
          }
        }}
        rightSection={
          <Tooltip label="Regular expression">
            <ActionIcon
              size={26}
              variant={search.regex ? "light" : "subtle"}
              color={search.regex ? "indigo" : "gray"}
              aria-label="Regular expression"
              aria-pressed={search.regex}
              onClick={() => search.setRegex(!search.regex)}
            >
              <IconRegex size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        }
        {...SEARCH_HERE}
      />
      {found && (
        <Group gap={2} wrap="nowrap">
          <Text size="sm" role="status" className={`figures ${classes.hits}`}>
            {search.total > 0
              ? `${count(search.at + 1)} of ${count(search.total)}`
              : search.searching
                ? "Searching…"
                : "Not found"}
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label="Previous hit"
            disabled={search.total === 0}
            onClick={() => search.step(-1)}
          >
            <IconChevronUp size={16} aria-hidden />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label="Next hit"
            disabled={search.total === 0}
            onClick={() => search.step(1)}
          >
            <IconChevronDown size={16} aria-hidden />
          </ActionIcon>
        </Group>
      )}
    </div>
  );
}
