// The list that panels share: it is read, it may be empty, and each of its rows says
// what it is about, what can be done with it, and why that failed.
import { Text } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queryClient } from "../../api/query-client";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Loaded, type Reading } from "./Panel";
import classes from "./PanelList.module.css";

interface PanelListProps<T> {
  query: Reading<{ items: T[] }>;
  /** As it goes on after "Reading": "the secrets". */
  what: string;
  empty: Nothing;
  children: (item: T) => ReactNode;
}

interface Nothing {
  Icon: Icon;
  sentence: string;
  /** The next step, and a command that takes it, too. */
  action?: ReactNode;
  command?: string;
}

export function PanelList<T>({ query, what, empty, children }: PanelListProps<T>) {
  return (
    <Loaded query={query} what={what}>
      {({ items }) => (
        <ListCard items={items} empty={empty}>
          {children}
        </ListCard>
      )}
    </Loaded>
  );
}

interface ListCardProps<T> {
  items: T[];
  empty: Nothing;
  children: (item: T) => ReactNode;
}

export function ListCard<T>({ items, empty, children }: ListCardProps<T>) {
  if (items.length > 0) return <div className={`card ${classes.list}`}>{items.map(children)}</div>;
  const { Icon, sentence, action, command } = empty;
  return (
    <div className="card">
      <EmptyState
        icon={<Icon size={30} stroke={1.4} aria-hidden />}
        sentence={sentence}
        action={action}
        command={command}
      />
    </div>
  );
}

/** What may fail, and whose failure can be dismissed. */
export type Failing = Pick<UseMutationResult, "error" | "reset">;

interface ListRowProps {
  name: ReactNode;
  mono?: boolean;
  /** Beneath the name. */
  notes?: ReactNode;
  /** Beside the name, however narrow the page is. */
  beside?: ReactNode;
  /** Beside the name too, and below it where the page is narrow. */
  actions?: ReactNode;
  unfolded?: ReactNode;
  failure?: { title: string; of: readonly Failing[] };
}

export function ListRow(props: ListRowProps) {
  const { name, mono, notes, beside, actions, unfolded, failure } = props;
  const failed = failure?.of.find(({ error }) => error !== null);
  return (
    <div className={classes.row}>
      <div className={classes.about}>
        <Text fw={600} className={mono ? "mono ellipsis" : "ellipsis"}>
          {name}
        </Text>
        {notes && <div className={classes.notes}>{notes}</div>}
      </div>
      {beside && <div className={classes.beside}>{beside}</div>}
      {actions && <div className={classes.actions}>{actions}</div>}
      {unfolded && <div className={classes.whole}>{unfolded}</div>}
      {failure && failed && (
        <div className={classes.whole}>
          <ErrorPanel
            title={failure.title}
            error={failed.error}
            onDismiss={() => {
              for (const each of failure.of) each.reset();
            }}
          />
        </div>
      )}
    </div>
  );
}

interface DeleteButtonProps {
  /** What it does, where that is not called deleting, and what it says meanwhile. */
  verb?: string;
  acting?: string;
  name: string;
  deleting: UseMutationResult<unknown, Error, void>;
  consequences: string[];
}

export function DeleteButton(props: DeleteButtonProps) {
  const { verb = "Delete", acting = "Deleting…", name, deleting, consequences } = props;
  return (
    <ActButton
      size="xs"
      variant="default"
      aria-label={`${verb} ${name}`}
      busy={deleting.isPending}
      onClick={() =>
        confirmDestruction({
          action: `${verb} ${name}`,
          consequences,
          onConfirm: () => deleting.mutate(),
        })
      }
    >
      {deleting.isPending ? acting : verb}
    </ActButton>
  );
}

interface Changing<V, R> {
  change: (value: V) => Promise<R>;
  /** The list that shows it, which is read again. */
  list: { queryKey: readonly unknown[] };
  done?: (result: R) => void;
}

/** A change of what a list shows: it goes on until the list has been read again. */
export function useChange<V = void, R = unknown>({ change, list, done }: Changing<V, R>) {
  return useMutation({
    mutationFn: change,
    onSuccess: (result: R) => {
      done?.(result);
    },
    // What failed may have been changed by somebody else.
    onSettled: () => queryClient.invalidateQueries({ queryKey: list.queryKey }),
  });
}
