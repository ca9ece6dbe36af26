// What was understood of a list, before it is sent.
import { Text } from "@mantine/core";
import { bytes, count, counted } from "../../format/numbers";
import classes from "./BundleForm.module.css";
import { MOST_BYTES, MOST_SOURCES, type SourceList } from "./source-list";

export function ListSummary({ list }: { list: SourceList }) {
  const { urls, duplicates, unreadable, unreadableCount, tooMany, large } = list;
  const nothing = urls.length + unreadableCount === 0;
  return (
    <div role="status" aria-live="polite">
      <div className={classes.summary}>
        {nothing ? (
          <Text size="sm" c="dimmed">
            No addresses yet
          </Text>
        ) : (
          <>
            <span className={`${classes.good} figures`}>
              {counted(urls.length, "address", "addresses")}
            </span>
            {duplicates > 0 && (
              <span className="figures">{counted(duplicates, "duplicate")} left out</span>
            )}
            {unreadableCount > 0 && (
              <Text span size="sm" c="var(--mantine-color-error)" className="figures">
                {counted(unreadableCount, "line")} not readable
              </Text>
            )}
            {tooMany > 0 && (
              <Text span size="sm" c="var(--mantine-color-error)">
                {count(tooMany)} left out: a bundle takes {count(MOST_SOURCES)}
              </Text>
            )}
          </>
        )}
      </div>
      {large > 0 && (
        <Text size="sm" c="var(--mantine-color-error)">
          These are {bytes(large)} to send, and a server takes {bytes(MOST_BYTES)} unless its{" "}
          <code>http.body_limit</code> says more. If it refuses them, make several bundles.
        </Text>
      )}
      {unreadable.length > 0 && (
        <ul className={classes.problems}>
          {unreadable.slice(0, 5).map(({ line, text, reason }) => (
            <li key={line}>
              <span className={`${classes.line} figures`}>Line {count(line)}</span>
              <span className="mono ellipsis">{text}</span>
              <span style={{ flexShrink: 0 }}>{reason}</span>
            </li>
          ))}
          {unreadableCount > 5 && <li>and {count(unreadableCount - 5)} more</li>}
        </ul>
      )}
    </div>
  );
}
