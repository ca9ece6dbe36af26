// Paste or drop a list, see what was understood, fetch.
import { Button, FileButton, Group, Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo } from "react";
import { makeBundle } from "../../api/bundles";
import type { BundleRequest } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { counted } from "../../format/numbers";
import { SEARCH_HERE } from "../../frame/use-keys";
import classes from "./BundleForm.module.css";
import { BundleOptionsFields } from "./BundleOptions";
import { type OptionValues, toRequest } from "./bundle-options";
import { DroppedFile, useListDrop } from "./ListDrop";
import { ListSummary } from "./ListSummary";
import { readSourceList } from "./source-list";
import { useDraft } from "./use-draft";

export function BundleForm() {
  const navigate = useNavigate();
  usePageAhead();
  const { draft, change, forget } = useDraft();
  const { file } = draft;
  const drop = useListDrop((dropped) => change({ file: dropped }));
  const text = useDeferredValue(file ? file.text : draft.text);
  const list = useMemo(() => readSourceList(text), [text]);
  const options = useForm<OptionValues>({
    initialValues: draft.options,
    onValuesChange: (values) => change({ options: values }),
  });
  const making = useMutation({
    mutationFn: (request: BundleRequest) => makeBundle(request),
    onSuccess: (bundle) => {
      forget();
      return navigate({ to: "/bundles/$id", params: { id: bundle.id } });
    },
  });
  const files = list.urls.length;
  const fetch = () => {
    if (files > 0 && !making.isPending) making.mutate(toRequest(list.urls, options.values));
  };
  return (
    <form
      className={`card ${classes.form}`}
      data-over={drop.over}
      {...drop.target}
      onSubmit={(event) => {
        event.preventDefault();
        fetch();
      }}
    >
      {file ? (
        <DroppedFile
          name={file.name}
          size={file.text.length}
          onClear={() => change({ file: null })}
        />
      ) : (
        <Textarea
          label="Addresses"
          description="One per line. Or drop a text file anywhere on this page."
          placeholder={"https://example.com/covers/1.jpg\nhttps://example.com/covers/2.jpg"}
          rows={7}
          resize="vertical"
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          classNames={{ input: "mono" }}
          value={draft.text}
          onChange={(event) => change({ text: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) fetch();
          }}
          {...SEARCH_HERE}
        />
      )}
      {drop.error && <ErrorPanel title="This file was not read" error={drop.error} />}
      <ListSummary list={list} />
      <BundleOptionsFields form={options} />
      {making.error && (
        <ErrorPanel
          title="The bundle was not started"
          error={making.error}
          onDismiss={making.reset}
        />
      )}
      <Group gap="md">
        <ActButton type="submit" busy={files === 0 || making.isPending}>
          {making.isPending
            ? `Queuing ${counted(files, "file")}…`
            : files === 0
              ? "Fetch files"
              : `Fetch ${counted(files, "file")}`}
        </ActButton>
        <FileButton onChange={drop.choose} accept="text/*,.txt,.csv,.json,.lst">
          {(props) => (
            <Button variant="default" {...props}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed" visibleFrom="sm">
          Ctrl Enter sends
        </Text>
      </Group>
      {drop.over && <div className={classes.overlay}>Drop the list here</div>}
    </form>
  );
}

// What was asked for shows at once when its page is at hand already.
function usePageAhead(): void {
  const router = useRouter();
  useEffect(() => {
    void router.loadRouteChunk(router.routesById["/frame/bundles/$id"]);
  }, [router]);
}
