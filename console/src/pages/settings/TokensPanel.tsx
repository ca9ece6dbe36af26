// API tokens: what they may do, until when. A value is shown once.
import { Alert, Badge, Group, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { tokenList } from "../../api/settings";
import type { Token, TokenIssued } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyLine } from "../../components/CopyLine";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago, Until } from "../../components/Times";
import { NewTokenForm } from "./NewTokenForm";
import { Loaded, Panel } from "./Panel";
import classes from "./Settings.module.css";

export function TokensPanel() {
  const query = useQuery(tokenList);
  const [issued, setIssued] = useState<TokenIssued | null>(null);
  return (
    <Panel
      title="API tokens"
      lead="For scripts, the command line and other machines. A token can do at most what you can."
    >
      <NewTokenForm onIssued={setIssued} />
      {issued && (
        <Alert
          color="indigo"
          variant="light"
          title={`${issued.name} is created. This is the only time its value is shown.`}
          withCloseButton
          closeButtonLabel="Dismiss"
          onClose={() => setIssued(null)}
        >
          <CopyLine text={issued.token} label="Copy token" />
          <Text size="sm" mt="sm" mb={6}>
            Try it:
          </Text>
          <CopyLine
            text={`curl -H 'Authorization: Bearer ${issued.token}' ${location.origin}/api/v1/operations`}
          />
        </Alert>
      )}
      <Loaded query={query} what="the tokens">
        {({ items }) => (
          <div className="card">
            {items.length === 0 && (
              <EmptyState
                icon={<IconKey size={30} stroke={1.4} aria-hidden />}
                sentence="There is no token yet. Create one above, choosing only what it needs."
              />
            )}
            {items.map((token) => (
              <TokenRow key={token.id} token={token} />
            ))}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function TokenRow({ token }: { token: Token }) {
  const deleting = useMutation({
    mutationFn: () => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id: token.id } } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: tokenList.queryKey }),
  });
  return (
    <div className={classes.row}>
      <div style={{ minWidth: 0 }}>
        <Text fw={600} className="ellipsis">
          {token.name}
        </Text>
        <div className={classes.sub}>
          {token.expires_at ? (
            <>
              Expires <Until time={token.expires_at} />
            </>
          ) : (
            "Never expires"
          )}{" "}
          ·{" "}
          {token.last_used ? (
            <>
              used <Ago time={token.last_used} />
            </>
          ) : (
            "never used"
          )}
        </div>
        <Group gap={4} mt={4}>
          {token.scopes.map((scope) => (
            <Badge key={scope} size="sm" radius="sm" variant="default">
              {scope}
            </Badge>
          ))}
        </Group>
      </div>
      <ActButton
        size="xs"
        variant="default"
        busy={deleting.isPending}
        onClick={() =>
          confirmDestruction({
            action: `Delete ${token.name}`,
            consequences: ["Whatever uses this token is refused from now on."],
            onConfirm: () => deleting.mutate(),
          })
        }
      >
        {deleting.isPending ? "Deleting…" : "Delete"}
      </ActButton>
      {deleting.error && <ErrorPanel title="The token was not deleted" error={deleting.error} />}
    </div>
  );
}
