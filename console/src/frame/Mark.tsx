// The mark: a hook lowering a crate.
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#364fc7" />
      <path d="M16 6v9" stroke="#fff" strokeWidth="2.4" strokeLinecap="round" />
      <path
        d="M16 15l-6.5 4.2h13z"
        fill="none"
        stroke="#fff"
        strokeWidth="2.2"
        strokeLinejoin="round"
      />
      <rect x="7.5" y="20" width="17" height="6" rx="1.4" fill="#fff" />
    </svg>
  );
}
