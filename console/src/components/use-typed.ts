// A field whose words are meant once the typing pauses.
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { TYPING_PAUSE_MS } from "../frame/typing";

// The field leads while one types; the address leads when it changes by itself.
export function useTyped(value: string, onChange: (text: string) => void) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const send = useDebouncedCallback((next: string) => {
    sent.current = next.trim();
    onChange(next.trim());
  }, TYPING_PAUSE_MS);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    setText(value);
  }, [value]);
  const type = (next: string) => {
    setText(next);
    send(next);
  };
  return [text, type] as const;
}
