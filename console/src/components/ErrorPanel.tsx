// A failure where it happened: what, why, what to do; copyable, and it stays.
import { Alert, Button, Code, Group, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import { CopyButton } from "./CopyButton";

interface ErrorPanelProps {
  title: string;
  error: unknown;
  /** What the reader can do about it, beyond trying again. */
  children?: ReactNode;
  onRetry?: () => void;
  onDismiss?: () => void;
}

export function ErrorPanel({ title, error, children, onRetry, onDismiss }: ErrorPanelProps) {
  const problem = asProblem(error);
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      title={title}
      icon={<IconAlertCircle size={18} aria-hidden />}
      withCloseButton={onDismiss !== undefined}
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {problem.message}
      </Text>
      {problem.fields.map((field) => (
        <Text size="sm" key={`${field.field} ${field.code}`} style={{ overflowWrap: "anywhere" }}>
          <Code>{field.field}</Code> {field.message}
        </Text>
      ))}
      {children}
      <Group gap="xs" mt="sm">
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
        <CopyButton value={problem.report} label="Copy error" />
      </Group>
    </Alert>
  );
}
