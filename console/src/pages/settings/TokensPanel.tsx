// API tokens: what they may do, until when.
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { tokenList } from "../../api/settings";
import type { Token, TokenIssued } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { type CredentialKind, CredentialsPanel, LIFETIMES } from "./CredentialsPanel";
import { SCOPES } from "./roles";

const TOKENS: CredentialKind<Token, TokenIssued> = {
  title: "API tokens",
  lead: "For scripts, the command line and other machines. A token can do at most what you can.",
  one: "token",
  many: "the tokens",
  empty: "There is no token yet. Create one above, choosing only what it needs.",
  placeholder: "What it is for, such as nightly-backup",
  uses: SCOPES,
  lifetimes: [LIFETIMES.month, LIFETIMES.quarter, LIFETIMES.year],
  start: { scopes: [], expiresIn: LIFETIMES.quarter.value },
  list: tokenList,
  create: ({ name, scopes, expiresIn }) =>
    take(api.POST("/api/v1/tokens", { body: { name, scopes, expires_in: Number(expiresIn) } })),
  remove: (id) => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }),
  mark: ({ ending }) => <span className="mono">…{ending}</span>,
  once: ({ token }) => ({
    secret: token,
    called: "value",
    label: "Copy token",
    trying: (
      <>
        <Text size="sm" mt="sm" mb={6}>
          Try it:
        </Text>
        <CopyLine
          text={`curl -H 'Authorization: Bearer ${token}' ${location.origin}/api/v1/operations`}
        />
      </>
    ),
  }),
};

export function TokensPanel() {
  return <CredentialsPanel kind={TOKENS} query={useQuery(tokenList)} />;
}
