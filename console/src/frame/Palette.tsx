// Ctrl/Cmd-K: goes anywhere, finds operations by their words, runs actions.
import { useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, type SpotlightActionData } from "@mantine/spotlight";
import {
  IconArrowsTransferUp,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconPackage,
  IconSearch,
  IconSun,
} from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, take } from "../api/client";
import { asProblem } from "../api/problem";
import { useMay } from "../api/session";
import { stateWord } from "../components/StateBadge";
import { actorName } from "../format/actor";
import { SECTIONS } from "./sections";
import { leave } from "./UserMenu";

const FEW = 6;
// On a phone the list is longer than its box. It is a ScrollArea, of which its types know
// nothing.
const SCROLLED_BY_KEYS: object = { viewportProps: { tabIndex: 0 } };

export function Palette({ openHelp }: { openHelp: () => void }) {
  const [query, setQuery] = useState("");
  const commands = useCommands(openHelp);
  const { operations, searching, error } = useFoundOperations(query);
  const wanted = query.trim().toLowerCase();
  const matching = commands.filter(({ label, keywords, description }) =>
    `${label} ${keywords ?? ""} ${description ?? ""}`.toLowerCase().includes(wanted),
  );
  useFirstChosen(matching[0]?.id ?? operations[0]?.id);
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      // One that opens while it still fades from the last time has kept its words.
      onSpotlightOpen={() => setQuery("")}
      shortcut={["mod + K"]}
      tagsToIgnore={[]}
      scrollable
      maxHeight={420}
      overlayProps={{ backgroundOpacity: 0.5 }}
      attributes={{ content: { "aria-label": "Commands" } }}
    >
      <Spotlight.Search
        placeholder="A section, an operation, an action…"
        aria-label="Search commands and operations"
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList data-palette-list {...SCROLLED_BY_KEYS}>
        {matching.length > 0 && (
          <Spotlight.ActionsGroup label="Go and do">
            {matching.map(({ id, ...command }) => (
              <Spotlight.Action key={id} {...command} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {operations.length > 0 && (
          <Spotlight.ActionsGroup label="Operations">
            {operations.map(({ id, ...operation }) => (
              <Spotlight.Action key={id} {...operation} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {matching.length + operations.length === 0 && (
          <Spotlight.Empty role="status">
            {error
              ? `Operations could not be searched: ${asProblem(error).message}`
              : searching
                ? "Searching operations…"
                : "Nothing has these words. Try fewer of them."}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

// Enter runs the first entry. Spotlight marks it while one types, but what the
// server found comes later, when nothing is marked.
function useFirstChosen(first: string | undefined): void {
  useEffect(() => {
    const list = document.querySelector("[data-palette-list]");
    if (first === undefined || !list || list.querySelector("[data-selected]")) return;
    list.querySelector("[data-action]")?.setAttribute("data-selected", "true");
  }, [first]);
}

function useCommands(openHelp: () => void): SpotlightActionData[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const mayMake = useMay("operator");
  const mayRule = useMay("admin");
  const making: SpotlightActionData = {
    id: "new bundle",
    label: "New bundle",
    description: "Paste a list of addresses",
    keywords: "zip fetch download",
    leftSection: <IconPackage size={20} stroke={1.6} aria-hidden />,
    onClick: () => void navigate({ to: "/bundles" }),
  };
  const ruling: SpotlightActionData = {
    id: "new sync",
    label: "New sync",
    description: "Deliver files from one place to others",
    keywords: "rule cloudflare copy",
    leftSection: <IconArrowsTransferUp size={20} stroke={1.6} aria-hidden />,
    onClick: () => void navigate({ to: "/new-sync" }),
  };
  return [
    ...SECTIONS.map(({ name, to, about, Icon }) => ({
      id: `go ${to}`,
      label: name,
      description: about,
      leftSection: <Icon size={20} stroke={1.6} aria-hidden />,
      onClick: () => void navigate({ to }),
    })),
    ...(mayMake ? [making] : []),
    ...(mayRule ? [ruling] : []),
    {
      id: "failed",
      label: "Failed operations of the last day",
      keywords: "errors problems",
      leftSection: <IconSearch size={20} stroke={1.6} aria-hidden />,
      onClick: () => void navigate({ to: "/activity", search: { state: "failed", range: "24h" } }),
    },
    {
      id: "dark",
      label: "Dark colours",
      keywords: "theme scheme night",
      leftSection: <IconMoon size={20} stroke={1.6} aria-hidden />,
      onClick: () => setColorScheme("dark"),
    },
    {
      id: "light",
      label: "Light colours",
      keywords: "theme scheme day",
      leftSection: <IconSun size={20} stroke={1.6} aria-hidden />,
      onClick: () => setColorScheme("light"),
    },
    {
      id: "keys",
      label: "Keyboard shortcuts",
      leftSection: <IconKeyboard size={20} stroke={1.6} aria-hidden />,
      onClick: openHelp,
    },
    {
      id: "log out",
      label: "Log out",
      keywords: "sign leave",
      leftSection: <IconLogout size={20} stroke={1.6} aria-hidden />,
      onClick: () => void leave(),
    },
  ];
}

function useFoundOperations(query: string) {
  const navigate = useNavigate();
  const [text] = useDebouncedValue(query.trim(), 150);
  const { data, error, isFetching } = useQuery({
    queryKey: ["palette", text],
    enabled: text.length > 1,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      take(api.GET("/api/v1/operations", { params: { query: { text, limit: FEW } }, signal })),
  });
  const typed = query.trim();
  const asked = typed.length > 1;
  const items = asked && text.length > 1 ? (data?.items ?? []) : [];
  const operations: SpotlightActionData[] = items.slice(0, FEW).map((operation) => ({
    id: operation.id,
    label: operation.title,
    description: `${stateWord(operation.state)} · ${operation.kind} by ${actorName(operation.actor)}`,
    onClick: () => void navigate({ to: "/operations/$id", params: { id: operation.id } }),
  }));
  // What is typed is asked for after a pause, and until then nobody knows.
  return {
    operations,
    searching: asked && (isFetching || typed !== text),
    error: asked ? error : null,
  };
}
