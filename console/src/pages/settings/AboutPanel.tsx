export function AboutPanel() {
  return null;
}
