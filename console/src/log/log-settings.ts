// How somebody likes to read logs; remembered for each user of this browser.
import { useLocalStorage } from "@mantine/hooks";
import { useMemo } from "react";
import { useSession } from "../api/session";
import { useNarrow } from "../components/use-narrow";

export interface LogSettings {
  wrap: boolean;
  times: boolean;
  numbers: boolean;
}

const NOTHING_CHOSEN: Partial<LogSettings> = {};

/** The settings, and what changes some of them: only what was chosen is remembered. */
export function useLogSettings(): [LogSettings, (change: Partial<LogSettings>) => void] {
  const name = useSession()?.user.name ?? "anybody";
  // Narrow screens wrap by default: sideways scrolling there is worse.
  const narrow = useNarrow();
  const [chosen, setChosen] = useLocalStorage({
    key: `longshore-log-settings-${name}`,
    defaultValue: NOTHING_CHOSEN,
    getInitialValueInEffect: false,
  });
  const settings = useMemo(
    () => ({ wrap: narrow, times: false, numbers: true, ...chosen }),
    [narrow, chosen],
  );
  return [settings, (change) => setChosen({ ...chosen, ...change })];
}
