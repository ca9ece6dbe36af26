// A bar with its words. Without a known total it says so instead of pretending.
import { Progress } from "@mantine/core";

interface ProgressBarProps {
  /** From 0 to 100, or null when the whole is not known. */
  percent: number | null;
  label: string;
  color?: string;
  active?: boolean;
  size?: number;
}

export function ProgressBar({ percent, label, color, active, size = 8 }: ProgressBarProps) {
  const unknown = percent === null;
  return (
    <Progress.Root size={size} radius="xl">
      <Progress.Section
        value={unknown ? 100 : percent}
        color={color}
        striped={unknown && active === true}
        animated={unknown && active === true}
        // Its own would say that a bar of no known total is at 100 %.
        withAria={false}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={unknown ? undefined : Math.floor(percent)}
        aria-valuetext={unknown ? "The total is not known yet" : `${Math.floor(percent)} %`}
      />
    </Progress.Root>
  );
}
