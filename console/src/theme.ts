// Colours, type and sizes of the whole console. Contrast is AA in both schemes;
// the end-to-end tests check it on every page.
import {
  Alert,
  Badge,
  Button,
  type CSSVariablesResolver,
  createTheme,
  Drawer,
  type MantineColorsTuple,
  Menu,
  Modal,
  Tooltip,
} from "@mantine/core";
import { returnFocus } from "./components/dialogs";

// A neutral slate in place of Mantine's brown-grey: text at 0, page at 8.
const slate: MantineColorsTuple = [
  "#d9dee8",
  "#b9c1cf",
  "#97a2b5",
  "#6d788c",
  "#363f50",
  "#2a3242",
  "#1e2533",
  "#151b26",
  "#10151e",
  "#0a0e15",
];

// A dialog's own head is no banner of the page.
const DIALOG = {
  closeButtonProps: { "aria-label": "Close" },
  attributes: { header: { role: "presentation" } },
  styles: { title: { fontWeight: 600 } },
  onExitTransitionEnd: returnFocus,
};

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  colors: { dark: slate },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily:
    'Inter, "Segoe UI Variable Text", "SF Pro Text", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "JetBrains Mono", "Cascadia Mono", "Segoe UI Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.4" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  components: {
    Modal: Modal.extend({ defaultProps: DIALOG }),
    Drawer: Drawer.extend({ defaultProps: DIALOG }),
    Badge: Badge.extend({ styles: { label: { textTransform: "none", fontWeight: 500 } } }),
    Button: Button.extend({ defaultProps: { size: "sm" }, styles: { label: { fontWeight: 550 } } }),
    // Its own is 20 px wide, and a finger wants 24 at least (WCAG 2.5.8).
    Alert: Alert.extend({ styles: { closeButton: { minWidth: 28, minHeight: 28 } } }),
    // In place and without a placeholder for the focus: a menu holds its items alone.
    Menu: Menu.extend({
      defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false },
    }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: false } }),
  },
});

export const cssVariablesResolver: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": theme.colors.gray[7],
    "--mantine-color-placeholder": theme.colors.gray[7],
    "--mantine-color-green-light-color": "#1b5e2a",
    "--mantine-color-orange-light-color": "#8a3c06",
    "--mantine-color-red-light-color": "#a51111",
    "--mantine-color-gray-light-color": theme.colors.gray[8],
    "--mantine-color-error": "#b91c1c",
    // Canvases read these as they stand: whole colours, and no functions.
    "--ls-chart-good": "#3b5bdb",
    "--ls-chart-bad": "#c92a2a",
    "--ls-page": "#f6f7f9",
    "--ls-surface": "#ffffff",
    "--ls-line": "#dfe3ea",
    "--ls-hover": "#f0f2f6",
    "--ls-chosen": "#e7ebfb",
  },
  dark: {
    "--mantine-color-body": slate[8],
    "--mantine-color-dimmed": "#a3adbd",
    "--mantine-color-placeholder": "#a3adbd",
    "--mantine-color-error": "#ff9c9c",
    "--mantine-color-anchor": "#a5b8ff",
    "--mantine-color-indigo-light": "#222c52",
    "--mantine-color-indigo-light-hover": "#2a3664",
    "--mantine-color-indigo-light-color": "#c3cffc",
    "--mantine-color-green-light": "#16301f",
    "--mantine-color-green-light-color": "#9be0ac",
    "--mantine-color-red-light": "#3a1c22",
    "--mantine-color-red-light-color": "#ffb4b4",
    "--mantine-color-orange-light": "#3a2a15",
    "--mantine-color-orange-light-color": "#ffcf9c",
    "--mantine-color-gray-light": "#262e3c",
    "--mantine-color-gray-light-hover": "#2c3545",
    "--mantine-color-gray-light-color": "#c6cedb",
    "--ls-chart-good": "#748ffc",
    "--ls-chart-bad": "#ff8787",
    "--ls-page": slate[8],
    "--ls-surface": slate[7],
    "--ls-line": "#283041",
    "--ls-hover": "#1c2330",
    "--ls-chosen": "#232c4a",
  },
});
