import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { copyText } from "./copy";

const SHOWN_MS = 1_800;

type Outcome = "copied" | "failed" | null;

interface CopyButtonProps {
  value: string;
  label: string;
  /** An icon alone; the label is then its name. */
  compact?: boolean;
}

export function CopyButton({ value, label, compact }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<Outcome>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => setOutcome((await copyText(value)) ? "copied" : "failed");
  const word =
    outcome === "copied" ? "Copied" : outcome === "failed" ? "Select and copy by hand" : label;
  const icon =
    outcome === "copied" ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />;
  if (compact) {
    return (
      <Tooltip label={word}>
        <ActionIcon variant="subtle" color="gray" size={26} aria-label={word} onClick={copy}>
          {icon}
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <Button size="xs" variant="default" leftSection={icon} onClick={copy}>
      <span aria-live="polite">{word}</span>
    </Button>
  );
}
