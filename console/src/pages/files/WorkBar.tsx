// How far work over many files is; what failed stays until it is dismissed.
import { Alert, Button, Group, Loader, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { CopyButton } from "../../components/CopyButton";
import { count, counted } from "../../format/numbers";
import { OCCUPIED } from "../../transfers/queue";
import classes from "./Files.module.css";
import { dismissWork, useWork } from "./work";

const SHOWN = 5;

export function WorkBar() {
  const work = useWork();
  if (!work) return null;
  const { title, done, failures, running, cancel } = work;
  if (running) {
    return (
      <Group className={`card ${classes.work}`} gap="sm" role="status">
        <Loader size={16} aria-hidden />
        <Text size="sm" className="figures" style={{ flex: 1 }}>
          {title}: {counted(done, "file")} done
          {failures.length > 0 && `, ${count(failures.length)} failed`}
        </Text>
        <Button size="compact-sm" variant="default" onClick={cancel}>
          Stop
        </Button>
      </Group>
    );
  }
  const report = failures.map(({ path, error }) => `${path}\n${error.report}`).join("\n\n");
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      title={`${title}: ${count(done)} done, ${counted(failures.length, "file")} failed`}
      icon={<IconAlertCircle size={18} aria-hidden />}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={dismissWork}
    >
      {failures.slice(0, SHOWN).map(({ path, error }) => (
        <Text size="sm" key={path} style={{ overflowWrap: "anywhere" }}>
          <b>{path}</b>:{" "}
          {error.code === OCCUPIED ? "something lies at its new place already" : error.message}
        </Text>
      ))}
      {failures.length > SHOWN && <Text size="sm">and {count(failures.length - SHOWN)} more</Text>}
      <Group mt="sm">
        <CopyButton value={report} label="Copy errors" />
      </Group>
    </Alert>
  );
}
