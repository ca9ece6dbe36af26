// How somebody likes to read logs; remembered for each user of this browser.
import { useLocalStorage } from "@mantine/hooks";
import { useSession } from "../api/session";

export interface LogSettings {
  wrap: boolean;
  times: boolean;
  numbers: boolean;
}

// Narrow screens wrap by default: sideways scrolling there is worse.
function startSettings(): LogSettings {
  return { wrap: matchMedia("(max-width: 37.5em)").matches, times: false, numbers: true };
}

export function useLogSettings() {
  const name = useSession()?.user.name ?? "anybody";
  return useLocalStorage<LogSettings>({
    key: `longshore-log-settings-${name}`,
    defaultValue: startSettings(),
    getInitialValueInEffect: false,
  });
}
