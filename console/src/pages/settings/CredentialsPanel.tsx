// What machines come in with, API tokens and access keys alike: made for some uses and some
// time, its secret shown once, listed, and deleted.
import { Badge, Checkbox, Group, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconKey } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { Scope } from "../../api/types";
import { ShownOnce } from "../../components/ShownOnce";
import { Ago, Until } from "../../components/Times";
import { nameProblem } from "./names";
import { Panel, type Reading } from "./Panel";
import { PanelForm, Wide } from "./PanelForm";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";

interface Credential {
  id: string;
  name: string;
  scopes: Scope[];
  expires_at: string | null;
  last_used: string | null;
}

export interface NewCredential {
  name: string;
  scopes: Scope[];
  /** In seconds; empty for never. */
  expiresIn: string;
}

/** How one kind of credential is made, shown and deleted. */
export interface CredentialKind<C extends Credential, I extends C> {
  title: string;
  lead: string;
  /** What one is called: "access key". */
  one: string;
  /** What the list is called, as it goes on after "Reading". */
  many: string;
  empty: string;
  /** What a name may be, in the field. */
  placeholder: string;
  uses: ReadonlyArray<{ value: Scope; label: string; about: string }>;
  lifetimes: Array<{ value: string; label: string }>;
  start: Omit<NewCredential, "name">;
  list: { queryKey: readonly unknown[] };
  create: (values: NewCredential) => Promise<I>;
  remove: (id: string) => Promise<unknown>;
  /** What is shown once: what to copy, its names, and how it is tried. */
  once: (issued: I) => { secret: string; called: string; label: string; trying: ReactNode };
  /** What it is known by beside its name. */
  mark?: (credential: C) => ReactNode;
}

const DAY = 86_400;

export const LIFETIMES = {
  month: { value: String(30 * DAY), label: "30 days" },
  quarter: { value: String(90 * DAY), label: "90 days" },
  year: { value: String(365 * DAY), label: "1 year" },
  never: { value: "", label: "Never: until it is deleted" },
};

interface CredentialsPanelProps<C extends Credential, I extends C> {
  kind: CredentialKind<C, I>;
  query: Reading<{ items: C[] }>;
}

export function CredentialsPanel<C extends Credential, I extends C>(
  props: CredentialsPanelProps<C, I>,
) {
  const { kind, query } = props;
  const [issued, setIssued] = useState<I | null>(null);
  return (
    <Panel title={kind.title} lead={kind.lead}>
      <NewCredentialForm kind={kind} onIssued={setIssued} />
      {issued && <Issued kind={kind} issued={issued} onDismiss={() => setIssued(null)} />}
      <PanelList query={query} what={kind.many} empty={{ Icon: IconKey, sentence: kind.empty }}>
        {(credential) => <CredentialRow key={credential.id} kind={kind} credential={credential} />}
      </PanelList>
    </Panel>
  );
}

interface NewCredentialFormProps<C extends Credential, I extends C> {
  kind: CredentialKind<C, I>;
  onIssued: (issued: I) => void;
}

function NewCredentialForm<C extends Credential, I extends C>(props: NewCredentialFormProps<C, I>) {
  const { kind, onIssued } = props;
  const form = useForm<NewCredential>({
    initialValues: { name: "", ...kind.start },
    validate: {
      name: nameProblem,
      scopes: (scopes) => (scopes.length === 0 ? "Choose what it may do" : null),
    },
  });
  const creating = useChange({
    change: (values: NewCredential) => kind.create({ ...values, name: values.name.trim() }),
    list: kind.list,
    done: (issued) => {
      onIssued(issued);
      form.reset();
    },
  });
  return (
    <PanelForm
      saving={creating}
      words={{
        save: `Create ${kind.one}`,
        saving: "Creating…",
        failed: `No ${kind.one} was created`,
      }}
      onSubmit={form.onSubmit((values) => creating.mutate(values))}
    >
      <TextInput
        label="Name"
        placeholder={kind.placeholder}
        autoCapitalize="none"
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <Select
        label="Expires after"
        allowDeselect={false}
        data={kind.lifetimes}
        {...form.getInputProps("expiresIn")}
      />
      <Wide>
        <Checkbox.Group label="It may" {...form.getInputProps("scopes")}>
          <SimpleGrid
            type="container"
            cols={{ base: 1, "380px": 2, "640px": 3 }}
            mt={8}
            spacing="sm"
            verticalSpacing="sm"
          >
            {kind.uses.map(({ value, label, about }) => (
              <Checkbox key={value} value={value} label={label} description={about} />
            ))}
          </SimpleGrid>
        </Checkbox.Group>
      </Wide>
    </PanelForm>
  );
}

interface IssuedProps<C extends Credential, I extends C> {
  kind: CredentialKind<C, I>;
  issued: I;
  onDismiss: () => void;
}

function Issued<C extends Credential, I extends C>({ kind, issued, onDismiss }: IssuedProps<C, I>) {
  const { secret, called, label, trying } = kind.once(issued);
  return (
    <ShownOnce
      title={`${issued.name} is created. This is the only time its ${called} is shown.`}
      secret={secret}
      label={label}
      onDismiss={onDismiss}
    >
      {trying}
    </ShownOnce>
  );
}

interface CredentialRowProps<C extends Credential, I extends C> {
  kind: CredentialKind<C, I>;
  credential: C;
}

function CredentialRow<C extends Credential, I extends C>(props: CredentialRowProps<C, I>) {
  const { kind, credential } = props;
  const { id, name } = credential;
  const deleting = useChange({ change: () => kind.remove(id), list: kind.list });
  return (
    <ListRow
      name={name}
      notes={<Notes credential={credential} mark={kind.mark?.(credential)} />}
      beside={
        <DeleteButton
          name={name}
          deleting={deleting}
          consequences={[`Whatever comes with this ${kind.one} is refused from now on.`]}
        />
      }
      failure={{ title: `${name} was not deleted`, of: [deleting] }}
    />
  );
}

function Notes({ credential, mark }: { credential: Credential; mark: ReactNode }) {
  const { expires_at: end, last_used: used, scopes } = credential;
  return (
    <>
      {mark && <>{mark} · </>}
      {end ? (
        <>
          expires <Until time={end} />
        </>
      ) : (
        "never expires"
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
