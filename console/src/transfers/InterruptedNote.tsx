// After a reload: uploads that had begun wait for their files, which a page may not
// open again by itself.
import { ActionIcon, Button, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useSession } from "../api/session";
import { counted } from "../format/numbers";
import { forgetInterrupted, type Interrupted, interrupted } from "./resumable";
import classes from "./TransferTray.module.css";

const NAMED = 3;

export function InterruptedNote() {
  const user = useSession()?.user.id;
  const [waiting, setWaiting] = useState<Interrupted[]>([]);
  const [hidden, setHidden] = useState(false);
  useEffect(() => {
    if (user === undefined) return;
    let here = true;
    void interrupted().then(
      (found) => here && setWaiting(found),
      () => {},
    );
    return () => {
      here = false;
    };
  }, [user]);
  if (waiting.length === 0 || hidden) return null;
  const names = waiting.slice(0, NAMED).map(({ bucket, path }) => `${bucket}/${path}`);
  const more = waiting.length - names.length;
  return (
    <section className={classes.tray} aria-label="Interrupted uploads">
      <header className={classes.head}>
        <div className={classes.summary}>
          <Text fw={600} size="sm" role="status">
            {counted(waiting.length, "upload")} {waiting.length === 1 ? "waits" : "wait"}
          </Text>
          <Text size="xs" c="dimmed">
            Upload the same files to the same folders again: they go on where they stopped.
          </Text>
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={28}
          aria-label="Hide the note of interrupted uploads"
          onClick={() => setHidden(true)}
        >
          <IconX size={17} aria-hidden />
        </ActionIcon>
      </header>
      <ul className={classes.rows}>
        {names.map((name) => (
          <li key={name} className={classes.more}>
            {name}
          </li>
        ))}
        {more > 0 && <li className={classes.more}>and {more} more</li>}
      </ul>
      <div className={classes.foot}>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => {
            setWaiting([]);
            void forgetInterrupted();
          }}
        >
          Give them up
        </Button>
      </div>
    </section>
  );
}
