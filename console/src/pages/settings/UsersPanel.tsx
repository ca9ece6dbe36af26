export function UsersPanel() {
  return null;
}
