import { IconFileZip } from "@tabler/icons-react";
import { ActButton } from "../../components/ActButton";

interface ZipButtonProps {
  busy: boolean;
  onClick: () => void;
}

export function ZipButton({ busy, onClick }: ZipButtonProps) {
  return (
    <ActButton
      size="compact-sm"
      variant="default"
      leftSection={<IconFileZip size={15} aria-hidden />}
      busy={busy}
      onClick={onClick}
    >
      {busy ? "Gathering…" : "Download ZIP"}
    </ActButton>
  );
}
