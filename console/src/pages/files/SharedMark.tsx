import { IconLink } from "@tabler/icons-react";
import classes from "./FileTable.module.css";

/** That a link opens it to others. */
export function SharedMark() {
  return (
    <span className={classes.shared} title="Shared by a link">
      <IconLink size={15} stroke={1.8} aria-hidden />
      <span className={classes.hidden}>shared</span>
    </span>
  );
}
