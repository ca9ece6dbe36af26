// The order, where no heads of columns say it.
import { Select } from "@mantine/core";
import { IconArrowsSort } from "@tabler/icons-react";
import type { Listing } from "../../api/files";
import type { Shown } from "./place";

const SORT_WORDS = [
  { value: "name-asc", label: "Name" },
  { value: "name-desc", label: "Name, Z first" },
  { value: "date-desc", label: "Newest" },
  { value: "date-asc", label: "Oldest" },
  { value: "size-desc", label: "Largest" },
  { value: "size-asc", label: "Smallest" },
];

interface SortSelectProps {
  className: string | undefined;
  listing: Listing;
  onChange: (order: Pick<Shown, "sort" | "order">) => void;
}

export function SortSelect({ className, listing, onChange }: SortSelectProps) {
  return (
    <Select
      className={className}
      aria-label="Sort"
      leftSection={<IconArrowsSort size={15} aria-hidden />}
      data={SORT_WORDS}
      value={`${listing.sort}-${listing.order}`}
      allowDeselect={false}
      onChange={(value) => {
        const [key, order] = (value ?? "name-asc").split("-");
        onChange({
          ...(key === "size" || key === "date" ? { sort: key } : {}),
          ...(order === "desc" ? { order } : {}),
        });
      }}
    />
  );
}
