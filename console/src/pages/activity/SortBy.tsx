// The order of the rows where they have two lines, and no heads to press.
import { ActionIcon, Select, Tooltip } from "@mantine/core";
import { IconSortAscending, IconSortDescending } from "@tabler/icons-react";
import classes from "./ActivityFilters.module.css";
import { type Filters, firstOrder, SORTS, type Sort, sortedBy } from "./filters";

interface SortByProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
}

const WORDS: Record<Sort, string> = {
  created_at: "By time",
  kind: "By kind",
  state: "By state",
  subject: "By subject",
  server: "By server",
  actor: "By person",
  trigger: "By trigger",
};

export function SortBy({ filters, onChange }: SortByProps) {
  const sort = filters.sort ?? "created_at";
  const upward = filters.order === "asc";
  const Arrow = upward ? IconSortAscending : IconSortDescending;
  const turn = upward ? "Sort the other way: descending" : "Sort the other way: ascending";
  return (
    <div className={classes.sort}>
      <Select
        aria-label="Sort by"
        allowDeselect={false}
        data={SORTS.map((known) => ({ value: known as string, label: WORDS[known] }))}
        value={sort}
        onChange={(chosen) => {
          const by = SORTS.find((known) => known === chosen);
          if (by) onChange(sortedBy(filters, by, firstOrder(by)));
        }}
      />
      <Tooltip label={turn}>
        <ActionIcon
          variant="default"
          size={36}
          aria-label={turn}
          onClick={() => onChange(sortedBy(filters, sort, upward ? "desc" : "asc"))}
        >
          <Arrow size={17} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
