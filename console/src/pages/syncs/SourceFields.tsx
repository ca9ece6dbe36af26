// Where files come from: a bucket of this server, a store, or rows of somebody's table.
import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { bucketList } from "../../api/files";
import { SecretSelect } from "../../components/SecretSelect";
import { Folded, Part } from "../settings/PanelForm";
import { SourceMatching } from "./Matching";
import { CODE, FIELD, hasErrors, type RuleForm } from "./rule-form";
import { COLUMNS } from "./rule-values";
import { StoreFields } from "./StoreFields";
import type { Counting } from "./use-matches";

const KINDS = [
  { value: "bucket", label: "A bucket of this server" },
  { value: "rows", label: "Rows of a Postgres table, and a store" },
  { value: "store", label: "A bucket on S3" },
];

const LEADS = {
  bucket: "Every file in it; what comes later starts at once.",
  rows: "Rows say which files there are and are marked when they are served; the content is in the store.",
  store: "Everything in it that was not delivered yet.",
};

interface SourceFieldsProps {
  form: RuleForm;
  counting: Counting;
}

export function SourceFields({ form, counting }: SourceFieldsProps) {
  const { kind } = form.values.source;
  return (
    <Part title="From" lead={LEADS[kind]}>
      <Select
        {...FIELD}
        label="Source"
        allowDeselect={false}
        data={KINDS}
        {...form.getInputProps("source.kind")}
      />
      {kind === "bucket" && (
        <>
          <BucketSelect form={form} at="source.bucket" />
          <TextInput
            {...CODE}
            label="Only below"
            placeholder="everything; covers/ is that folder"
            {...form.getInputProps("source.prefix")}
          />
        </>
      )}
      {kind === "rows" && <RowsFields form={form} />}
      {kind !== "bucket" && <StoreFields form={form} at="source.store" />}
      {kind === "rows" && <TableFields form={form} />}
      <SourceMatching counting={counting} />
    </Part>
  );
}

export function BucketSelect({ form, at }: { form: RuleForm; at: string }) {
  const { data } = useQuery(bucketList);
  const known = data?.items.map(({ name }) => name) ?? [];
  const { value, ...field } = form.getInputProps(at);
  return (
    <Select
      {...FIELD}
      label="Bucket"
      placeholder="Choose a bucket"
      searchable={known.length > 8}
      allowDeselect={false}
      data={value && !known.includes(value) ? [value, ...known] : known}
      value={value}
      {...field}
    />
  );
}

function RowsFields({ form }: { form: RuleForm }) {
  return (
    <>
      <SecretSelect
        {...FIELD}
        label="Database"
        about="Holds its address, postgres://…"
        {...form.getInputProps("source.database")}
      />
      <TextInput
        {...CODE}
        label="Before a row's path"
        description="In the store; empty where nothing is."
        placeholder="nothing"
        {...form.getInputProps("source.key_prefix")}
      />
    </>
  );
}

const COLUMN_WORDS: Record<(typeof COLUMNS)[number], { label: string; about: string }> = {
  id: { label: "Column of the id", about: "Names a row." },
  name: { label: "Column of the name", about: "By which people know it." },
  type: { label: "Column of the media type", about: "Such as image/png." },
  path: { label: "Column of the path", about: "In the store." },
  copied: { label: "Column of the mark", about: "A boolean, set when it is served." },
  remote_id: { label: "Column of the target's id", about: "Written; empty: none." },
  status: { label: "Column of the status", about: "Written; empty: none." },
  thumbnail: { label: "Column of the thumbnail", about: "Written; empty: none." },
  creator: { label: "Column of the uploader", about: "Told of in reports; empty: none." },
  metadata: { label: "Columns that go along", about: "As metadata, with commas between." },
};

function TableFields({ form }: { form: RuleForm }) {
  const at = "source.table";
  const field = (name: string) => ({ ...CODE, ...form.getInputProps(`${at}.${name}`) });
  return (
    <Folded label="Table and columns" open={hasErrors(form, at)}>
      <TextInput label="Table" description="Which rows are files." {...field("table")} />
      <TextInput
        label="Schema"
        description="Empty: the role's own."
        placeholder="the role's own"
        {...field("schema")}
      />
      {COLUMNS.map((name) => (
        <TextInput
          key={name}
          label={COLUMN_WORDS[name].label}
          description={COLUMN_WORDS[name].about}
          {...field(`columns.${name}`)}
        />
      ))}
      <TextInput
        label="Status of what is served"
        description="As the column has it."
        {...field("statuses.ready")}
      />
      <TextInput
        label="Status of what is not ready"
        description="Such as a video that is encoded."
        {...field("statuses.pending")}
      />
    </Folded>
  );
}
