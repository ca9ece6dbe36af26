// Beside the conditions of a rule: how many files they mean now.
import { Text } from "@mantine/core";
import { Wide } from "../settings/PanelForm";
import { sourceMatchWords, targetMatchWords } from "./matches";
import type { Counting } from "./use-matches";

export function SourceMatching({ counting }: { counting: Counting }) {
  return <Said text={sourceText(counting)} />;
}

export function TargetMatching({ counting, index }: { counting: Counting; index: number }) {
  return <Said text={typeof counting === "string" ? null : targetMatchWords(counting, index)} />;
}

function sourceText(counting: Counting): string | null {
  switch (counting) {
    case "nothing":
      return null;
    case "reading":
      return "Counting its files…";
    case "failed":
      return "Its files could not be counted.";
    case "by a dry run":
      return "How many files there are, and which target gets them, says a dry run once it is saved; begun paused, it delivers nothing before.";
    default:
      return sourceMatchWords(counting);
  }
}

function Said({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <Wide>
      <Text role="status" size="sm" c="dimmed" className="figures">
        {text}
      </Text>
    </Wide>
  );
}
