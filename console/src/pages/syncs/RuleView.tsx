// What a sync says: from where, which file to which target, when; all of it as the API has
// it, and the form in which an admin changes it.
import { Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMay } from "../../api/session";
import { changeSync, syncQuery } from "../../api/syncs";
import type { SyncShown } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { ButtonLink } from "../../components/links";
import { actorName } from "../../format/actor";
import { fullTime } from "../../format/times";
import { Folded, Wide } from "../settings/PanelForm";
import { useChange } from "../settings/PanelList";
import settings from "../settings/Settings.module.css";
import { type SyncValues, toRule, valuesOf } from "./rule-values";
import { SyncForm } from "./SyncForm";
import classes from "./Syncs.module.css";
import {
  isLeft,
  reportWords,
  scheduleWords,
  sourceWords,
  targetWords,
  whenWords,
} from "./sync-words";

const route = getRouteApi("/frame/syncs/$name");

export function RuleView({ sync, edit }: { sync: SyncShown; edit: boolean }) {
  const mayChange = useMay("admin") && sync.origin === "people";
  // A rule that somebody else has changed is begun anew.
  if (edit && mayChange) return <Editing key={JSON.stringify(sync.rule)} sync={sync} />;
  return (
    <div className={`${classes.stack} ${settings.panel}`}>
      <Facts sync={sync} />
      {sync.origin === "environment" && (
        <Text size="sm">
          {isLeft(sync)
            ? "Variables of the environment said it, and do so no more: it does not run by the clock. What it delivered is remembered until it is deleted."
            : "It is said by variables of the environment, and changed there."}
        </Text>
      )}
      {mayChange && (
        <ButtonLink
          from="/syncs/$name"
          to="."
          search={{ tab: "rule", edit: true }}
          w="fit-content"
          variant="default"
        >
          Edit rule
        </ButtonLink>
      )}
      <Folded label="As the API has it">
        <Wide>
          <CopyLine text={JSON.stringify(sync.rule, null, 2)} label="Copy rule" />
        </Wide>
      </Folded>
    </div>
  );
}

function Facts({ sync: { rule, origin, created_by, created_at, changed_at } }: RuleProps) {
  return (
    <dl className={`card ${settings.facts}`}>
      <Fact name="From">{sourceWords(rule.source)}</Fact>
      {rule.targets.map(({ name, when, to }) => (
        <Fact key={name} name={name}>
          {whenWords(when)} → {targetWords(to)}
        </Fact>
      ))}
      <Fact name="When">{scheduleWords(rule)}</Fact>
      <Fact name="At once">{rule.at_once ?? "as the server is set"}</Fact>
      <Fact name="Attempts">{rule.attempts ?? "as the server is set"}</Fact>
      <Fact name="Deleted at the source">
        {rule.remove ? "removed at the target, too" : "stays at the target"}
      </Fact>
      <Fact name="Told of passes">{reportWords(rule)}</Fact>
      <Fact name="Made">
        {fullTime(created_at)} by{" "}
        {origin === "environment" ? "the environment" : actorName(created_by)}, changed{" "}
        {fullTime(changed_at)}
      </Fact>
    </dl>
  );
}

function Editing({ sync: { name, rule } }: RuleProps) {
  const navigate = route.useNavigate();
  const leave = () => void navigate({ search: { tab: "rule" }, resetScroll: false });
  const saving = useChange({
    change: (values: SyncValues) => changeSync(name, { rule: toRule(values) }),
    list: syncQuery(name),
    done: leave,
  });
  return <SyncForm existing initial={valuesOf(name, rule)} saving={saving} onLeave={leave} />;
}

interface RuleProps {
  sync: SyncShown;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={settings.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
