// Who, what, when: the parameters of one operation.
import type { ReactNode } from "react";
import type { Operation } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { TextLink } from "../../components/links";
import { Ago, Took } from "../../components/Times";
import { actorName } from "../../format/actor";
import classes from "./Operation.module.css";

export function OperationFacts({ operation }: { operation: Operation }) {
  return (
    <dl className={`card ${classes.facts}`}>
      <Fact name="Kind">{operation.kind}</Fact>
      {operation.subject && <Fact name="Subject">{operation.subject}</Fact>}
      {operation.server && <Fact name="Server">{operation.server}</Fact>}
      <Fact name="By">{actorName(operation.actor)}</Fact>
      <Fact name="Trigger">{operation.trigger}</Fact>
      <Fact name="Queued">
        <Ago time={operation.created_at} />
      </Fact>
      {operation.started_at && (
        <Fact name={operation.ended_at ? "Took" : "Running for"}>
          <Took from={operation.started_at} to={operation.ended_at ?? null} />
        </Fact>
      )}
      {operation.attempt > 1 && <Fact name="Attempt">{operation.attempt}</Fact>}
      {operation.key && <Fact name="Waits in line for">{operation.key}</Fact>}
      {operation.parent && (
        <Fact name="Part of">
          <TextLink to="/operations/$id" params={{ id: operation.parent }} size="sm">
            another operation
          </TextLink>
        </Fact>
      )}
      {operation.retry_of && (
        <Fact name="Again from">
          <TextLink to="/operations/$id" params={{ id: operation.retry_of }} size="sm">
            an earlier one
          </TextLink>
        </Fact>
      )}
      <Fact name="Number">
        <span className={`mono ${classes.id}`} title={operation.id}>
          {operation.id}
        </span>
        <CopyButton compact value={operation.id} label="Copy the operation's number" />
      </Fact>
    </dl>
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
