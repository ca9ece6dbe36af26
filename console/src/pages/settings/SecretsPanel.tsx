export function SecretsPanel() {
  return null;
}
