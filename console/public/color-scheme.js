// Runs before the first paint, so that a dark page never flashes white. A file
// of its own because the content security policy allows no inline scripts.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("longshore-color-scheme") || "auto";
  } catch {
    // Storage may be blocked; the system's scheme is a good answer then.
  }
  const dark =
    chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
