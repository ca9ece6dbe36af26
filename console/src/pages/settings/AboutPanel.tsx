// What this server is, and whether live messages reach this browser.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { about } from "../../api/settings";
import { useLiveStatus } from "../../api/use-live";
import { ButtonLink } from "../../components/links";
import { Ago } from "../../components/Times";
import { fullTime } from "../../format/times";
import { statusWord, whyPolling } from "../../frame/live-words";
import { Loaded, Panel } from "./Panel";
import classes from "./Settings.module.css";

export function AboutPanel() {
  const query = useQuery(about);
  const live = useLiveStatus();
  return (
    <Panel title="About" lead="This server and this browser's connection to it.">
      <Loaded query={query} what="about this server">
        {(facts) => (
          <dl className={`card ${classes.facts}`}>
            <Fact name="Version">{facts.version}</Fact>
            <Fact name="Database">{facts.database}</Fact>
            <Fact name="Running since">
              {fullTime(facts.started_at)} (<Ago time={facts.started_at} />)
            </Fact>
            {facts.data && (
              <Fact name="Data">
                <span className="mono">{facts.data}</span>
              </Fact>
            )}
            <Fact name="Live connection">
              {statusWord(live)}
              {live.phase === "open" &&
                (live.polling
                  ? `. ${whyPolling(live.missing)}.`
                  : ": messages arrive by WebSocket")}
            </Fact>
            <Fact name="Address">{location.origin}</Fact>
            <Fact name="API">
              <Anchor href="/api/docs" size="sm" underline="always">
                Browse the API
              </Anchor>
            </Fact>
          </dl>
        )}
      </Loaded>
      <ButtonLink to="/activity" variant="default" w="fit-content">
        See what happened on it
      </ButtonLink>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
