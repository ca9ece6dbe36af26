// A button that acts. While its act goes on it does nothing, yet stays in place: one
// that is disabled would drop the focus of who pressed it.
import { Button, type ButtonProps } from "@mantine/core";
import type { ComponentPropsWithoutRef } from "react";

interface ActButtonProps
  extends ButtonProps,
    Omit<ComponentPropsWithoutRef<"button">, keyof ButtonProps> {
  busy: boolean;
}

export function ActButton({ busy, onClick, ...button }: ActButtonProps) {
  return (
    <Button
      {...button}
      aria-disabled={busy || undefined}
      data-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}
