// Narrow pages show two lines a row instead of scrolling sideways.
import { useMediaQuery } from "@mantine/hooks";

/** Whether the window has at most `width`; the style of what asks says the same. */
export function useNarrow(width = "37.5em"): boolean {
  const narrow = useMediaQuery(`(max-width: ${width})`, false, { getInitialValueInEffect: false });
  return narrow ?? false;
}
