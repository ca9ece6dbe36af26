// What most leave as it is, behind a button that unfolds it.
import { Button } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { type ReactNode, useId, useState } from "react";

interface FoldProps {
  label: string;
  /** It is unfolded at first. */
  initially?: boolean;
  /** Something in it must be seen: it is unfolded, and stays so. */
  open?: boolean;
  children: ReactNode;
}

export function Fold({ label, initially = false, open = false, children }: FoldProps) {
  const id = useId();
  const [unfolded, setUnfolded] = useState(open || initially);
  if (open && !unfolded) setUnfolded(true);
  const Chevron = unfolded ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        px={4}
        ml={-8}
        leftSection={<Chevron size={16} aria-hidden />}
        aria-expanded={unfolded}
        aria-controls={id}
        onClick={() => setUnfolded(!unfolded)}
      >
        {label}
      </Button>
      <div id={id} hidden={!unfolded}>
        {children}
      </div>
    </div>
  );
}
