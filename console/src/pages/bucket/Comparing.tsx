// Comparing a bucket with its store, now. The operation that does it stands where it was
// asked for.
import { TextInput, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { compareWithStore } from "../../api/bucket-settings";
import { mergeOperation, operationQuery } from "../../api/operations";
import { useLiveOperation } from "../../api/use-live";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { OperationLine } from "../../components/OperationLine";
import { Loaded } from "../settings/Panel";
import classes from "./Store.module.css";

export function Comparing({ bucket }: { bucket: string }) {
  const [prefix, setPrefix] = useState("");
  const comparing = useMutation({
    mutationFn: (dryRun: boolean) => compareWithStore(bucket, prefix.trim(), dryRun),
  });
  const compare = (dryRun: boolean) => {
    if (!comparing.isPending) comparing.mutate(dryRun);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    compare(true);
  };
  const going = (dryRun: boolean) => comparing.isPending && comparing.variables === dryRun;
  return (
    <section aria-labelledby="comparing">
      <Title order={3} id="comparing" mb="xs">
        Comparing now
      </Title>
      <form className={`card ${classes.box}`} onSubmit={submit}>
        <div className={classes.line}>
          <TextInput
            className={classes.field}
            label="Only below"
            description="A dry run changes nothing, and its log says what would change."
            placeholder="everything; covers/ is that folder"
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            value={prefix}
            onChange={(event) => setPrefix(event.currentTarget.value)}
          />
          <ActButton type="submit" variant="default" busy={comparing.isPending}>
            {going(true) ? "Queuing…" : "Dry run"}
          </ActButton>
          <ActButton busy={comparing.isPending} onClick={() => compare(false)}>
            {going(false) ? "Queuing…" : "Compare"}
          </ActButton>
        </div>
        {comparing.error && (
          <ErrorPanel
            title="It is not compared"
            error={comparing.error}
            onDismiss={comparing.reset}
          />
        )}
        {comparing.data && <Going key={comparing.data.operation} id={comparing.data.operation} />}
      </form>
    </section>
  );
}

function Going({ id }: { id: string }) {
  const query = useQuery(operationQuery(id));
  useLiveOperation(id, null, {
    onOperation: mergeOperation,
    onReset: () => void query.refetch(),
  });
  return (
    <Loaded query={query} what="how far it is">
      {(operation) => <OperationLine operation={operation} />}
    </Loaded>
  );
}
