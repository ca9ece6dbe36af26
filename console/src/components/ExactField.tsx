// A filter for a whole name, such as that of a person.
import { TextInput } from "@mantine/core";
import { useTyped } from "./use-typed";

interface ExactFieldProps {
  name: string;
  value: string | undefined;
  className?: string | undefined;
  onChange: (text: string) => void;
}

export function ExactField({ name, value, className, onChange }: ExactFieldProps) {
  const [text, setText] = useTyped(value ?? "", onChange);
  return (
    <TextInput
      className={className}
      aria-label={name}
      placeholder={`${name}: anything`}
      value={text}
      autoCapitalize="none"
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
