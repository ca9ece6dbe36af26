// A folder's list, with what is chosen in it, what is looked at and what is held over it.
import { Button, TextInput } from "@mantine/core";
import { IconFolderOpen, IconRefresh, IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Listing, may, openFolders } from "../../api/files";
import type { Bucket } from "../../api/types";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink, TextLink } from "../../components/links";
import { useTyped } from "../../components/use-typed";
import { Waiting } from "../../components/Waiting";
import { count, counted } from "../../format/numbers";
import { SEARCH_HERE } from "../../frame/use-keys";
import { deleteRows, undoLast } from "./acts";
import { above } from "./Crumbs";
import type { RowActs } from "./entry";
import classes from "./Files.module.css";
import { FileTable, type SortKey } from "./FileTable";
import { FileTiles } from "./FileTiles";
import { rememberedLayout, rememberLayout } from "./layout";
import { MoveDialog } from "./MoveDialog";
import { PreviewDrawer } from "./PreviewDrawer";
import { nameOf, type Shown, toAddress } from "./place";
import type { Row } from "./rows";
import { SelectionBar } from "./SelectionBar";
import { ShareDialog } from "./ShareDialog";
import { SortSelect } from "./SortSelect";
import {
  afterRemoval,
  all,
  extended,
  moved,
  movedChoosing,
  NOTHING,
  type Selection,
  toggled,
} from "./selection";
import { uploadCommand } from "./upload-command";
import { useDrop } from "./use-drop";
import { useFileKeys } from "./use-file-keys";
import { useFolder } from "./use-folder";
import { useShared } from "./use-shared";
import type { Uploading } from "./use-upload";
import { download, useZip } from "./use-zip";
import { ViewSwitch } from "./ViewSwitch";

const route = getRouteApi("/frame/files/$bucket/$");

interface FolderViewProps {
  bucket: Bucket;
  folder: string;
  shown: Shown;
  uploading: Uploading;
}

export function FolderView({ bucket, folder, shown, uploading }: FolderViewProps) {
  const navigate = route.useNavigate();
  const sort = shown.sort ?? "name";
  const listing: Listing = {
    folder,
    sort,
    order: shown.order ?? "asc",
    ...(shown.q ? { words: shown.q } : {}),
  };
  const { query, rows, change } = useFolder(bucket.name, listing);
  const shared = useShared(bucket, listing);
  const [selection, setSelection] = useSelection(rows, `${sort} ${listing.order} ${shown.q}`);
  const layout = shown.as ?? rememberedLayout();
  const [moving, setMoving] = useState<readonly Row[] | null>(null);
  const [sharing, setSharing] = useState<Row | null>(null);
  const zipping = useZip(bucket.name, folder);
  const frame = useRef<HTMLDivElement>(null);
  const mayWrite = may(bucket, "write", folder);
  const keys = () => rows.map(({ key }) => key);
  const show = (next: Shown, replace = true) =>
    navigate({ search: next, replace, resetScroll: false });
  const open = (path: string | undefined) =>
    show({ ...shown, open: path }, path === undefined || shown.open !== undefined);

  const enter = (target: string) =>
    navigate({
      to: "/files/$bucket/$",
      params: { bucket: bucket.name, _splat: toAddress(target) },
      search: { as: shown.as, ...(shown.q ? {} : { sort: shown.sort, order: shown.order }) },
    });
  const over = useDrop(mayWrite, folder, (dropped, target) => void uploading.drop(target, dropped));
  const acts: RowActs = {
    choose: (key, range) =>
      setSelection((now) => (range ? extended(now, keys(), key) : toggled(now, key))),
    stand: (key) => setSelection((now) => ({ ...now, at: key, anchor: key })),
    open: (path) => void open(path),
    enter: (target) => void enter(target),
  };
  const latest = useRef(acts);
  latest.current = acts;
  // Rows are drawn anew only when they changed, so what they call stays the same.
  const steady = useMemo<RowActs>(
    () => ({
      choose: (key, range) => latest.current.choose(key, range),
      stand: (key) => latest.current.stand(key),
      open: (path) => latest.current.open(path),
      enter: (target) => latest.current.enter(target),
    }),
    [],
  );

  const chosen = useMemo(
    () => (selection.chosen.size === 0 ? [] : rows.filter(({ key }) => selection.chosen.has(key))),
    [rows, selection.chosen],
  );
  const standing = () => rows.find(({ key }) => key === selection.at);
  const meant = (): readonly Row[] => {
    if (chosen.length > 0) return chosen;
    const one = standing();
    return one ? [one] : [];
  };
  const remove = (wanted: readonly Row[]) => {
    if (wanted.length === 0 || !may(bucket, "delete", folder)) return;
    deleteRows(bucket, wanted, {
      ...change,
      drop: (gone) => {
        setSelection((now) => afterRemoval(now, keys(), gone));
        change.drop(gone);
      },
    });
  };
  const mayMove = mayWrite && may(bucket, "delete", folder);
  useFileKeys({
    columns: () =>
      Number(frame.current?.querySelector<HTMLElement>("[data-files]")?.dataset.columns ?? 1),
    move: (by, choosing) => {
      // From here on a screen reader says where one stands.
      frame.current?.querySelector<HTMLElement>("[data-files]")?.focus({ preventScroll: true });
      setSelection((now) => (choosing ? movedChoosing : moved)(now, keys(), by));
    },
    open: () => {
      const row = standing();
      if (row?.kind === "folder") void enter(row.path);
      else if (row) void open(row.path);
    },
    preview: () => {
      const row = standing();
      if (row?.kind === "file") void open(row.path);
    },
    toggle: () => setSelection((now) => (now.at === null ? now : toggled(now, now.at))),
    chooseAll: () => setSelection((now) => all(now, keys())),
    rename: () => {
      const wanted = meant();
      if (mayMove && wanted.length > 0) setMoving(wanted);
    },
    remove: () => remove(meant()),
    undo: undoLast,
    download: () => {
      if (!may(bucket, "read", folder)) return;
      const wanted = meant();
      // What goes as a ZIP is chosen: so one is told how much it is.
      if (wanted.some(({ kind }) => kind === "folder")) {
        setSelection((now) =>
          all(
            now,
            wanted.map(({ key }) => key),
          ),
        );
      }
      download(bucket.name, wanted, zipping);
    },
    share: () => {
      const wanted = meant();
      if (wanted.length === 1 && may(bucket, "share", folder)) setSharing(wanted[0] ?? null);
    },
    up: () => {
      const parent = above(folder);
      if (parent !== null) void enter(parent);
    },
    escape: () => setSelection((now) => ({ ...now, chosen: new Set(), anchor: null })),
  });
  const onSort = (key: SortKey) => {
    // Of dates one wants the newest.
    const descending = sort === key ? shown.order !== "desc" : key === "date";
    const { sort: _sort, order: _order, ...rest } = shown;
    void show({
      ...rest,
      ...(key === "name" ? {} : { sort: key }),
      ...(descending ? { order: "desc" as const } : {}),
    });
  };
  const { data, error, isPending, hasNextPage, refetch } = query;
  const listed = useMemo(() => summary(rows, hasNextPage, shown.q), [rows, hasNextPage, shown.q]);
  const entries = {
    bucket: bucket.name,
    within: folder,
    rows,
    query,
    selection,
    shared,
    acts: steady,
    frame,
  };
  return (
    <div className={classes.stack}>
      <div className={classes.bar}>
        <Words
          value={shown.q ?? ""}
          folder={folder}
          onChange={(q) => show({ ...shown, q: q === "" ? undefined : q })}
        />
        {!shown.q && (
          <SortSelect
            className={`${classes.sort} ${layout === "tiles" ? classes.always : ""}`}
            listing={listing}
            onChange={(order) => {
              const { sort: _sort, order: _order, ...rest } = shown;
              void show({ ...rest, ...order });
            }}
          />
        )}
        <ViewSwitch
          layout={layout}
          onChange={(as) => {
            rememberLayout(as);
            void show({ ...shown, as });
          }}
        />
        <SelectionBar
          bucket={bucket}
          folder={folder}
          onShare={() => setSharing(chosen[0] ?? null)}
          rows={chosen}
          zipping={zipping.isPending}
          onZip={() => download(bucket.name, chosen, zipping)}
          onMove={() => setMoving(chosen)}
          onDelete={() => remove(chosen)}
          onClear={() => setSelection((now) => ({ ...now, chosen: new Set(), anchor: null }))}
        >
          <span>{listed}</span>
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={() => void change.reread()}
          >
            Reload
          </Button>
        </SelectionBar>
      </div>
      {zipping.error && (
        <ErrorPanel title="The ZIP was not made" error={zipping.error} onDismiss={zipping.reset} />
      )}
      {isPending ? (
        <Waiting what="Reading the folder…" />
      ) : error && !data ? (
        <ErrorPanel title="The folder could not be read" error={error} onRetry={refetch}>
          {openFolders(bucket).map((path) => (
            <div key={path}>
              <TextLink
                size="sm"
                to="/files/$bucket/$"
                params={{ bucket: bucket.name, _splat: toAddress(path) }}
              >
                {path} is open to you
              </TextLink>
            </div>
          ))}
        </ErrorPanel>
      ) : rows.length === 0 && !hasNextPage ? (
        <Nothing bucket={bucket} folder={folder} words={shown.q} />
      ) : layout === "tiles" ? (
        <FileTiles {...entries} pictures={may(bucket, "read", folder)} />
      ) : (
        <FileTable
          {...entries}
          onChooseAll={() =>
            setSelection((now) =>
              now.chosen.size === rows.length ? { ...now, chosen: new Set() } : all(now, keys()),
            )
          }
          sorting={shown.q ? null : { sort, descending: shown.order === "desc", onSort }}
        />
      )}
      {over !== null && (
        <div className={classes.landing} role="status">
          Drop to upload into {over === "" ? `the top of ${bucket.name}` : nameOf(over)}
        </div>
      )}
      {moving && (
        <MoveDialog
          bucket={bucket}
          folder={folder}
          rows={moving}
          change={change}
          onMoved={(gone) => setSelection((now) => afterRemoval(now, keys(), gone))}
          onClose={() => setMoving(null)}
        />
      )}
      {sharing && (
        <ShareDialog bucket={bucket.name} row={sharing} onClose={() => setSharing(null)} />
      )}
      <PreviewDrawer
        bucket={bucket}
        path={shown.open}
        rows={rows}
        onOpen={open}
        onMove={(row) => {
          void open(undefined);
          setMoving([row]);
        }}
        onDelete={(row) => {
          void open(undefined);
          remove([row]);
        }}
        onChanged={(file) => change.put([file])}
      />
    </div>
  );
}

// Another order or other words show another list; what is chosen in it starts anew.
function useSelection(rows: readonly Row[], list: string) {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list
  useEffect(() => setSelection(NOTHING), [list]);
  const gone = selection.at !== null && rows.length === 0;
  useEffect(() => {
    if (gone) setSelection(NOTHING);
  }, [gone]);
  return [selection, setSelection] as const;
}

interface WordsProps {
  value: string;
  folder: string;
  onChange: (words: string) => void;
}

function Words({ value, folder, onChange }: WordsProps) {
  const [text, type] = useTyped(value, onChange);
  const where = folder === "" ? "this bucket" : `${nameOf(folder)} and below`;
  return (
    <TextInput
      {...SEARCH_HERE}
      className={classes.search}
      type="search"
      aria-label={`Search names and metadata in ${where}`}
      placeholder={`Search ${where}`}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") type("");
      }}
    />
  );
}

function summary(rows: readonly Row[], more: boolean, words: string | undefined): string {
  const folders = rows.filter(({ kind }) => kind === "folder").length;
  const files = rows.length - folders;
  const parts = [];
  if (folders > 0) parts.push(counted(folders, "folder"));
  if (files > 0) parts.push(more ? `${count(files)} files so far` : counted(files, "file"));
  if (parts.length === 0) return "";
  return words ? `Found ${parts.join(", ")}` : parts.join(", ");
}

interface NothingProps {
  bucket: Bucket;
  folder: string;
  words: string | undefined;
}

function Nothing({ bucket, folder, words }: NothingProps) {
  const mayWrite = may(bucket, "write", folder);
  const sentence = words
    ? "No file has all of these words in its path or metadata. Each is looked for by how it begins."
    : mayWrite
      ? "Nothing is here yet. Drop files or folders anywhere on this page, or send them:"
      : "Nothing is here yet.";
  return (
    <div className="card" data-empty>
      <EmptyState
        icon={<IconFolderOpen size={34} stroke={1.4} aria-hidden />}
        sentence={sentence}
        action={
          words && (
            <ButtonLink
              from="/files/$bucket/$"
              to="."
              search={({ q: _q, ...rest }) => rest}
              variant="default"
            >
              Show the folder
            </ButtonLink>
          )
        }
        command={mayWrite && !words ? uploadCommand(bucket, folder, location) : undefined}
      />
    </div>
  );
}
