// Ready, Fetching, Zipping, Done: where this bundle stands, or how far it came.
import { IconAlertTriangle, IconBan, IconCheck, IconX } from "@tabler/icons-react";
import type { OperationState } from "../../api/types";
import { stateWord } from "../../components/StateBadge";
import classes from "./StageSteps.module.css";
import { STAGES, type Stage } from "./stage";

const ENDS = { failed: IconX, cancelled: IconBan, interrupted: IconAlertTriangle } as const;

export function StageSteps({ stage, state }: { stage: Stage; state: OperationState }) {
  const at = STAGES.indexOf(stage);
  const End = state in ENDS ? ENDS[state as keyof typeof ENDS] : null;
  return (
    <ol className={classes.steps} aria-label="Stages">
      {STAGES.map((name, index) => {
        const here = index === at;
        const passed = index < at || state === "succeeded";
        const phase = passed ? "passed" : here ? (End ? state : "now") : "later";
        return (
          <li key={name} data-phase={phase} aria-current={here ? "step" : undefined}>
            <span className={classes.mark} aria-hidden>
              {passed && <IconCheck size={11} stroke={3} />}
              {here && End && <End size={11} stroke={3} />}
            </span>
            {`${name} `}
            {here && End && <span className={classes.end}>{stateWord(state).toLowerCase()}</span>}
          </li>
        );
      })}
    </ol>
  );
}
