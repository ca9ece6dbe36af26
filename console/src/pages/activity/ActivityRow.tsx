// One operation in the table. The whole row is one real link.
import { Link } from "@tanstack/react-router";
import type { MouseEvent } from "react";
import type { Operation } from "../../api/types";
import { ProgressBar } from "../../components/ProgressBar";
import { StateBadge } from "../../components/StateBadge";
import { Ago, Took } from "../../components/Times";
import { actorName } from "../../format/actor";
import { percent } from "../../format/numbers";
import classes from "./ActivityTable.module.css";

interface ActivityRowProps {
  operation: Operation;
  /** Its row in the whole table, the head being 1. */
  position: number;
  top: number;
  onOpen: (id: string) => void;
}

// The drawer needs room beside the table; below this width the page opens.
const ROOM_FOR_DRAWER = "(min-width: 48em)";

export function ActivityRow({ operation, position, top, onOpen }: ActivityRowProps) {
  const { id, state, progress } = operation;
  const open = (event: MouseEvent) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!plain || !matchMedia(ROOM_FOR_DRAWER).matches) return;
    event.preventDefault();
    onOpen(id);
  };
  return (
    <div
      role="row"
      aria-rowindex={position}
      className={`${classes.row} ${classes.entry}`}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" className={classes.state}>
        <StateBadge state={state} />
      </span>
      <span role="cell" className={classes.title}>
        <Link className={classes.link} to="/operations/$id" params={{ id }} onClick={open}>
          {operation.title}
        </Link>
        {state === "running" && progress && (
          <ProgressBar
            size={3}
            active
            percent={percent(progress.done, progress.total)}
            label={`Progress of ${operation.title}`}
          />
        )}
      </span>
      <span role="cell" className={classes.kind}>
        {operation.kind}
      </span>
      <span role="cell" className={classes.subject}>
        {operation.subject ?? "–"}
      </span>
      <span role="cell" className={classes.server}>
        {operation.server ?? "–"}
      </span>
      <span role="cell" className={classes.actor}>
        {actorName(operation.actor)}
      </span>
      <span role="cell" className={classes.trigger}>
        {operation.trigger}
      </span>
      <span role="cell" className={classes.took}>
        <Took from={operation.started_at ?? null} to={operation.ended_at ?? null} />
      </span>
      <span role="cell" className={classes.when}>
        <Ago time={operation.created_at} />
      </span>
    </div>
  );
}
