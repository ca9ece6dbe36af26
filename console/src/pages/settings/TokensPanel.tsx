// API tokens: what they may do, until when. A value is shown once.
import { Alert, Badge, Group, Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { tokenList } from "../../api/settings";
import type { Token, TokenIssued } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { Ago, Until } from "../../components/Times";
import { NewTokenForm } from "./NewTokenForm";
import { Panel } from "./Panel";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";

const NOTHING = {
  Icon: IconKey,
  sentence: "There is no token yet. Create one above, choosing only what it needs.",
};

export function TokensPanel() {
  const query = useQuery(tokenList);
  const [issued, setIssued] = useState<TokenIssued | null>(null);
  return (
    <Panel
      title="API tokens"
      lead="For scripts, the command line and other machines. A token can do at most what you can."
    >
      <NewTokenForm onIssued={setIssued} />
      {issued && <Issued token={issued} onDismiss={() => setIssued(null)} />}
      <PanelList query={query} what="the tokens" empty={NOTHING}>
        {(token) => <TokenRow key={token.id} token={token} />}
      </PanelList>
    </Panel>
  );
}

function Issued({ token, onDismiss }: { token: TokenIssued; onDismiss: () => void }) {
  return (
    <Alert
      color="indigo"
      variant="light"
      title={`${token.name} is created. This is the only time its value is shown.`}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <CopyLine text={token.token} label="Copy token" />
      <Text size="sm" mt="sm" mb={6}>
        Try it:
      </Text>
      <CopyLine
        text={`curl -H 'Authorization: Bearer ${token.token}' ${location.origin}/api/v1/operations`}
      />
    </Alert>
  );
}

function TokenRow({ token }: { token: Token }) {
  const { id, name } = token;
  const deleting = useChange({
    change: () => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }),
    list: tokenList,
  });
  return (
    <ListRow
      name={name}
      notes={<Notes token={token} />}
      beside={
        <DeleteButton
          name={name}
          deleting={deleting}
          consequences={["Whatever uses this token is refused from now on."]}
        />
      }
      failure={{ title: `${name} was not deleted`, of: [deleting] }}
    />
  );
}

function Notes({ token: { expires_at: end, last_used: used, scopes } }: { token: Token }) {
  return (
    <>
      {end ? (
        <>
          Expires <Until time={end} />
        </>
      ) : (
        "Never expires"
      )}
      {" · "}
      {used ? (
        <>
          used <Ago time={used} />
        </>
      ) : (
        "never used"
      )}
      <Group gap={4} mt={4}>
        {scopes.map((scope) => (
          <Badge key={scope} size="sm" radius="sm" variant="default">
            {scope}
          </Badge>
        ))}
      </Group>
    </>
  );
}
