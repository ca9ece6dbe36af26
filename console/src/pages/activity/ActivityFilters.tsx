// Narrowing the table down. Each change goes into the address at once; typed
// words follow when the typing pauses.
import { Button, Pill, Select, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { operationKinds } from "../../api/operations";
import type { Trigger } from "../../api/types";
import { ExactField } from "../../components/ExactField";
import { stateWord } from "../../components/StateBadge";
import { useNarrow } from "../../components/use-narrow";
import { useTyped } from "../../components/use-typed";
import { SEARCH_HERE } from "../../frame/use-keys";
import classes from "./ActivityFilters.module.css";
import { TWO_LINES } from "./columns";
import { activeFilters, type Filters, RANGE_WORDS, STATES, TRIGGERS } from "./filters";
import { SortBy } from "./SortBy";

interface ActivityFiltersProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
}

const TRIGGER_WORDS: Record<Trigger, string> = {
  person: "A person",
  api: "The API",
  schedule: "A schedule",
  push: "A push",
  operation: "An operation",
  system: "The server",
};
// Set by links from elsewhere; shown so that they can be taken away.
const LINKED = ["subject", "parent", "from", "to"] as const;

export function ActivityFilters({ filters, onChange }: ActivityFiltersProps) {
  const { data: kinds } = useQuery(operationKinds);
  const headless = useNarrow(TWO_LINES);
  const set = (change: Partial<Record<keyof Filters, string | null>>) => {
    const next: Record<string, unknown> = { ...filters, ...change };
    for (const [name, value] of Object.entries(change)) if (!value) delete next[name];
    onChange(next as Filters);
  };
  const linked = LINKED.filter((name) => filters[name] !== undefined);
  return (
    <search className={classes.bar} aria-label="Filters">
      <Words value={filters.text ?? ""} onChange={(text) => set({ text })} />
      <Select
        aria-label="State"
        placeholder="Any state"
        clearable
        data={STATES.map((state) => ({ value: state, label: stateWord(state) }))}
        value={filters.state ?? null}
        onChange={(state) => set({ state })}
      />
      <Select
        aria-label="Kind"
        placeholder="Any kind"
        clearable
        data={(kinds?.items ?? []).map(({ name, title }) => ({ value: name, label: title }))}
        value={filters.kind ?? null}
        onChange={(kind) => set({ kind })}
      />
      <Select
        aria-label="Time"
        placeholder="Any time"
        clearable
        data={RANGE_WORDS}
        value={filters.range ?? null}
        onChange={(range) => set({ range })}
      />
      <ExactField
        className={classes.exact}
        name="Server"
        value={filters.server}
        onChange={(server) => set({ server })}
      />
      <ExactField
        className={classes.exact}
        name="By"
        value={filters.actor}
        onChange={(actor) => set({ actor })}
      />
      <Select
        aria-label="Trigger"
        placeholder="Any trigger"
        clearable
        data={TRIGGERS.map((trigger) => ({ value: trigger, label: TRIGGER_WORDS[trigger] }))}
        value={filters.trigger ?? null}
        onChange={(trigger) => set({ trigger })}
      />
      {headless && <SortBy filters={filters} onChange={onChange} />}
      {linked.map((name) => (
        <Pill
          key={name}
          size="md"
          withRemoveButton
          removeButtonProps={{
            "aria-label": `Remove the filter ${name}`,
            "aria-hidden": false,
            tabIndex: 0,
          }}
          onRemove={() => set({ [name]: null })}
        >
          {name}: {filters[name]}
        </Pill>
      ))}
      {activeFilters(filters) > 0 && (
        <Button
          variant="subtle"
          color="gray"
          size="sm"
          onClick={() => {
            const { sort, order } = filters;
            onChange({ ...(sort ? { sort } : {}), ...(order ? { order } : {}) });
          }}
        >
          Clear filters
        </Button>
      )}
    </search>
  );
}

function Words({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [text, setText] = useTyped(value, onChange);
  return (
    <TextInput
      className={classes.words}
      aria-label="Search titles, subjects and errors"
      placeholder="Search titles, subjects, errors ( / )"
      leftSection={<IconSearch size={15} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      {...SEARCH_HERE}
    />
  );
}
