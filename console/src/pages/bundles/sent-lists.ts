// A list that was sent is remembered for this tab, so that the page of the
// bundle can name its sources before the log has spoken of them.

const kept = new Map<string, readonly string[]>();
const MOST_KEPT = 5;

export function rememberSources(bundle: string, urls: readonly string[]): void {
  kept.set(bundle, urls);
  const oldest = kept.keys().next().value;
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
}

export function sourcesOf(bundle: string): readonly string[] {
  return kept.get(bundle) ?? [];
}
