// Three steps on a fresh server. A step is ticked by what the server knows, and
// the list is gone when all are, or when somebody has had enough of it. It has its place
// before that is known, so that nothing below it jumps; that it is gone is remembered.
import { Button, Text, Title } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconCircle, IconCircleCheck } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { bundlePages } from "../../api/bundles";
import { useMay } from "../../api/session";
import { tokenList, userList } from "../../api/settings";
import { CopyLine } from "../../components/CopyLine";
import { TextLink } from "../../components/links";
import classes from "./Dashboard.module.css";

export function FirstSteps() {
  const admin = useMay("admin");
  const [hidden, setHidden] = useLocalStorage({
    key: "longshore-first-steps-hidden",
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const bundles = useInfiniteQuery(bundlePages);
  const tokens = useQuery({ ...tokenList, enabled: admin });
  const users = useQuery({ ...userList, enabled: admin });
  const known = bundles.data && tokens.data && users.data;
  const steps = [
    {
      done: (bundles.data?.pages[0]?.items.length ?? 0) > 0,
      to: "/bundles",
      name: "Make a bundle",
      what: "Paste addresses, watch every file arrive, save the zip.",
    },
    {
      done: (tokens.data?.items.length ?? 0) > 0,
      to: "/settings/tokens",
      name: "Create an API token",
      what: "For scripts and the command line.",
    },
    {
      done: (users.data?.items.length ?? 0) > 1,
      to: "/settings/users",
      name: "Add a colleague",
      what: "As operator to make things, as viewer to watch.",
    },
  ] as const;
  const finished = steps.every(({ done }) => done);
  useEffect(() => {
    if (admin && finished) setHidden(true);
  }, [admin, finished, setHidden]);
  if (!admin || hidden || finished) return null;
  return (
    <section className={`card ${classes.steps}`} aria-labelledby="first-steps">
      <div className={classes.head}>
        <Title order={2} id="first-steps">
          First steps
        </Title>
        <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setHidden(true)}>
          Hide
        </Button>
      </div>
      <ol className={classes.list}>
        {steps.map(({ done, to, name, what }) => (
          <li key={to}>
            {done ? (
              <IconCircleCheck size={20} className={classes.done} aria-label="Done" />
            ) : (
              <IconCircle size={20} aria-label={known ? "To do" : "Not known yet"} />
            )}
            <div>
              <TextLink to={to} fw={550}>
                {name}
              </TextLink>
              <Text size="sm" c="dimmed">
                {what}
              </Text>
            </div>
          </li>
        ))}
      </ol>
      <Text size="sm" c="dimmed" mb={6}>
        The same from a terminal:
      </Text>
      <CopyLine
        text={`longshore login ${location.origin}\nlongshore bundle list.txt -o files.zip`}
      />
    </section>
  );
}
