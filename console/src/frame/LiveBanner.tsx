// A lost connection: says when the next attempt is, and lets one try at once.
// What is shown stays, and is brought up to date from where it stopped.
import { Button, Code, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Fragment, useEffect, useState } from "react";
import type { LiveStatus } from "../api/live";
import { live, useLiveStatus } from "../api/use-live";
import { ActButton } from "../components/ActButton";
import { useQuickNow } from "../components/use-now";
import classes from "./Live.module.css";
import { joint, secondsUntil, whyPolling } from "./live-words";

// Without these no WebSocket opens; said where none of them is known to be missing.
const NEEDED = ["Upgrade", "Connection"];
// A hiccup shorter than this needs no banner.
const UNSEEN_MS = 400;

export function LiveBanner() {
  const status = useLiveStatus();
  if (status.phase === "open" && status.polling) {
    return <PollingBanner missing={status.missing} />;
  }
  return <LostBanner status={status} />;
}

// Everything works, a little later than it could; said until it is dismissed. A proxy is
// blamed only for what the server knows that it dropped.
function PollingBanner({ missing }: { missing: readonly string[] }) {
  const [dismissed, setDismissed] = useState(false);
  if (dismissed) return null;
  const known = missing.length > 0;
  const headers = known ? missing : NEEDED;
  return (
    <div className={classes.banner} role="status">
      <IconPlugConnectedX size={18} aria-hidden />
      <div className={classes.words}>
        <Text size="sm" fw={550}>
          {whyPolling(missing)}, so changes are asked for again and again.
        </Text>
        <Text size="sm">
          {known
            ? "To see them at once, have it pass on "
            : "Why is not known. A proxy in between must pass on "}
          {headers.map((name, at) => (
            <Fragment key={name}>
              {joint(at, headers)}
              <Code>{name}</Code>
            </Fragment>
          ))}{" "}
          for <Code>/api/v1/live</Code> over HTTP/1.1.
        </Text>
      </div>
      <Button size="xs" variant="default" onClick={() => setDismissed(true)}>
        Dismiss
      </Button>
    </div>
  );
}

function LostBanner({ status }: { status: LiveStatus }) {
  const away = status.phase === "waiting" || (status.phase === "connecting" && status.failures > 0);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(away), away ? UNSEEN_MS : 0);
    return () => clearTimeout(timer);
  }, [away]);
  if (!shown || !away) return null;
  return (
    <div className={classes.banner} role="alert">
      <IconPlugConnectedX size={18} aria-hidden />
      <div className={classes.words}>
        <Text size="sm" fw={550}>
          The live connection is lost.{" "}
          {status.phase === "waiting" ? <Countdown retryAt={status.retryAt} /> : "Trying now…"}
        </Text>
        <Text size="sm">
          What you see may be out of date; nothing that was missed will be lost.
        </Text>
      </div>
      <ActButton
        size="xs"
        variant="default"
        busy={status.phase !== "waiting"}
        onClick={() => live.retry()}
      >
        Try now
      </ActButton>
    </div>
  );
}

function Countdown({ retryAt }: { retryAt: number }) {
  const now = useQuickNow();
  // Each second would be read out, as it stands in an alert.
  return (
    <span aria-hidden className="figures">
      Next attempt in {secondsUntil(retryAt, now)} s.
    </span>
  );
}
