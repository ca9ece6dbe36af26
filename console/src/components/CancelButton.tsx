// Stops what runs; says so until the server has stopped it.
import { IconPlayerStop } from "@tabler/icons-react";
import { ActButton } from "./ActButton";

export function CancelButton({ stopping, onClick }: { stopping: boolean; onClick: () => void }) {
  return (
    <ActButton
      variant="default"
      leftSection={<IconPlayerStop size={16} aria-hidden />}
      busy={stopping}
      onClick={onClick}
    >
      {stopping ? "Stopping…" : "Cancel"}
    </ActButton>
  );
}
