// The form that panels share: fields, the one button that saves, and beneath them why
// it was not saved.
import { Button, Text, Title } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ComponentProps, FormEventHandler, ReactNode } from "react";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Fold } from "../../components/Fold";
import classes from "./PanelForm.module.css";

/** What saves, as far as a form looks at it. */
export type Saving = Pick<UseMutationResult, "isPending" | "error" | "reset">;

interface PanelFormProps {
  saving: Saving;
  /** What the button says before and while it saves, and what is said of a failure. */
  words: { save: string; saving: string; failed: string };
  onSubmit: FormEventHandler<HTMLFormElement>;
  onLeave?: () => void;
  /** What leaving is called, where it is no "Cancel". */
  leave?: string;
  /** What else can be done with what is filled in. */
  beside?: ReactNode;
  /** There is nothing to be saved. */
  idle?: boolean;
  /** Few fields: the button stands in their line where there is room. */
  line?: boolean;
  /** Unfolded within a card, it needs none of its own. */
  bare?: boolean;
  /** What came of saving. */
  foot?: ReactNode;
  children: ReactNode;
}

export function PanelForm(props: PanelFormProps) {
  const { saving, words, onSubmit, onLeave, leave = "Cancel", idle = false } = props;
  const { line, bare, beside, foot, children } = props;
  return (
    <form
      className={`${bare ? classes.bare : "card"} ${classes.form}`}
      data-line={line || undefined}
      onSubmit={onSubmit}
    >
      <div className={classes.fields}>{children}</div>
      <div className={classes.acts}>
        <ActButton type="submit" busy={saving.isPending || idle}>
          {saving.isPending ? words.saving : words.save}
        </ActButton>
        {beside}
        {onLeave && (
          <Button variant="default" onClick={onLeave}>
            {leave}
          </Button>
        )}
      </div>
      {foot && <div className={classes.whole}>{foot}</div>}
      {saving.error && (
        <div className={classes.whole}>
          <ErrorPanel title={words.failed} error={saving.error} onDismiss={saving.reset} />
        </div>
      )}
    </form>
  );
}

/** A field, or what stands between fields, as wide as the form. */
export function Wide({ children }: { children: ReactNode }) {
  return <div className={classes.wide}>{children}</div>;
}

interface PartProps {
  title: string;
  lead?: string;
  /** What can be done with the whole part, such as taking it away. */
  acts?: ReactNode;
  children: ReactNode;
}

/** Fields that belong together, under a heading of their own. */
export function Part({ title, lead, acts, children }: PartProps) {
  return (
    <fieldset className={`${classes.wide} ${classes.part}`} aria-label={title}>
      <div className={classes.head}>
        <div>
          <Title order={2} size="h3">
            {title}
          </Title>
          {lead && (
            <Text size="sm" c="dimmed">
              {lead}
            </Text>
          )}
        </div>
        {acts && <div className={classes.acts}>{acts}</div>}
      </div>
      <div className={classes.fields}>{children}</div>
    </fieldset>
  );
}

/** Fields that most leave as they are. */
export function Folded({ children, ...fold }: ComponentProps<typeof Fold>) {
  return (
    <Wide>
      <Fold {...fold}>
        <div className={`${classes.fields} ${classes.folded}`}>{children}</div>
      </Fold>
    </Wide>
  );
}
