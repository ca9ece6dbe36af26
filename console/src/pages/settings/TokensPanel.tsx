export function TokensPanel() {
  return null;
}
