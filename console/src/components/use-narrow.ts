// Narrow pages show two lines a row instead of scrolling sideways.
import { useMediaQuery } from "@mantine/hooks";

export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 37.5em)", false, { getInitialValueInEffect: false }) ?? false;
}
