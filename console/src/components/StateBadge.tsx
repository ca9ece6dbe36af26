// An operation's state as a word with an icon; colour only underlines it.
import { Badge } from "@mantine/core";
import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconClock,
  IconPlayerPlay,
  IconX,
} from "@tabler/icons-react";
import type { OperationState } from "../api/types";

const LOOKS = {
  queued: { word: "Queued", color: "gray", Icon: IconClock },
  running: { word: "Running", color: "indigo", Icon: IconPlayerPlay },
  succeeded: { word: "Succeeded", color: "green", Icon: IconCheck },
  failed: { word: "Failed", color: "red", Icon: IconX },
  cancelled: { word: "Cancelled", color: "gray", Icon: IconBan },
  interrupted: { word: "Interrupted", color: "orange", Icon: IconAlertTriangle },
} as const;

export function stateWord(state: OperationState): string {
  return LOOKS[state].word;
}

interface StateBadgeProps {
  state: OperationState;
  /** As wide as its word: where it stands alone, and no column is to be kept. */
  alone?: boolean;
}

export function StateBadge({ state, alone = false }: StateBadgeProps) {
  const look = LOOKS[state];
  return (
    <Badge
      variant="light"
      color={look.color}
      radius="sm"
      size="md"
      w={alone ? "fit-content" : 104}
      styles={{ root: { paddingInline: 8 }, label: { textAlign: "left" } }}
      data-state={state}
      leftSection={<look.Icon size={12} stroke={2.4} aria-hidden />}
    >
      {look.word}
    </Badge>
  );
}
