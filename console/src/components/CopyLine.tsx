// One command, ready to copy.

import { CopyButton } from "./CopyButton";
import classes from "./CopyLine.module.css";

export function CopyLine({ text, label = "Copy command" }: { text: string; label?: string }) {
  return (
    <div className={classes.line}>
      <pre className={classes.text} tabIndex={0}>
        {text}
      </pre>
      <CopyButton compact value={text} label={label} />
    </div>
  );
}
