// Ready, Fetching, Zipping, Done: where this bundle stands.
import { IconCheck } from "@tabler/icons-react";
import classes from "./StageSteps.module.css";
import { STAGES, type Stage } from "./stage";

export function StageSteps({ stage, ended }: { stage: Stage; ended: boolean }) {
  const at = STAGES.indexOf(stage);
  return (
    <ol className={classes.steps} aria-label="Stages">
      {STAGES.map((name, index) => {
        const passed = index < at || (index === at && ended);
        const phase = passed ? "passed" : index === at ? "now" : "later";
        return (
          <li key={name} data-phase={phase} aria-current={index === at ? "step" : undefined}>
            <span className={classes.mark} aria-hidden>
              {passed && <IconCheck size={11} stroke={3} />}
            </span>
            {name}
          </li>
        );
      })}
    </ol>
  );
}
