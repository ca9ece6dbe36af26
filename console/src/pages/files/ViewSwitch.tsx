// Another look at the same folder. It is a button and no choice of two: arrows are for what
// is listed.
import { ActionIcon } from "@mantine/core";
import { IconLayoutGrid, IconList } from "@tabler/icons-react";
import type { Layout } from "./layout";

interface ViewSwitchProps {
  layout: Layout;
  onChange: (layout: Layout) => void;
}

export function ViewSwitch({ layout, onChange }: ViewSwitchProps) {
  const other = layout === "list" ? "tiles" : "list";
  const Icon = other === "list" ? IconList : IconLayoutGrid;
  return (
    <ActionIcon
      variant="default"
      size={36}
      aria-label={`Show as ${other}`}
      title={`Show as ${other}`}
      onClick={() => onChange(other)}
    >
      <Icon size={18} aria-hidden />
    </ActionIcon>
  );
}
