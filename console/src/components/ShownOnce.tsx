// A secret that the server tells once, with what to do with it; it stays until dismissed.
import { Alert } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyLine } from "./CopyLine";

interface ShownOnceProps {
  /** What was made, and that this is the only time. */
  title: string;
  secret: string;
  /** As the button says that copies it. */
  label: string;
  onDismiss: () => void;
  children: ReactNode;
}

export function ShownOnce({ title, secret, label, onDismiss, children }: ShownOnceProps) {
  return (
    <Alert
      color="indigo"
      variant="light"
      title={title}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <CopyLine text={secret} label={label} />
      {children}
    </Alert>
  );
}
