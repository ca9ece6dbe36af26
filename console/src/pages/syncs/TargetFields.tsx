// One target of a rule: which files go there, and what it is.
import { Button, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { SecretSelect } from "../../components/SecretSelect";
import { Folded, Part, Wide } from "../settings/PanelForm";
import { TargetMatching } from "./Matching";
import { CODE, FIELD, hasErrors, type RuleForm } from "./rule-form";
import { BucketSelect } from "./SourceFields";
import { StoreFields } from "./StoreFields";
import type { Counting } from "./use-matches";

const KINDS = [
  { value: "cloudflare_images", label: "Cloudflare Images" },
  { value: "cloudflare_stream", label: "Cloudflare Stream" },
  { value: "store", label: "A bucket on S3" },
  { value: "bucket", label: "A bucket of this server" },
  { value: "webhook", label: "A webhook" },
];

interface TargetFieldsProps {
  form: RuleForm;
  index: number;
  counting: Counting;
}

export function TargetFields({ form, index, counting }: TargetFieldsProps) {
  const at = `targets.${index}`;
  const { targets } = form.values;
  const target = targets[index];
  if (!target) return null;
  const { kind } = target.to;
  const called = target.name.trim() || `target ${index + 1}`;
  const move = (to: number) => form.reorderListItem("targets", { from: index, to });
  return (
    <Part
      title={`To ${called}`}
      lead={index === 0 ? LEAD : undefined}
      acts={
        targets.length > 1 && (
          <>
            {index > 0 && (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Ask ${called} earlier`}
                onClick={() => move(index - 1)}
              >
                Earlier
              </Button>
            )}
            {index < targets.length - 1 && (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Ask ${called} later`}
                onClick={() => move(index + 1)}
              >
                Later
              </Button>
            )}
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Take ${called} away`}
              onClick={() => form.removeListItem("targets", index)}
            >
              Take away
            </Button>
          </>
        )
      }
    >
      <TextInput {...CODE} label="Target's name" {...form.getInputProps(`${at}.name`)} />
      <Select
        {...FIELD}
        label="Target"
        allowDeselect={false}
        data={KINDS}
        {...form.getInputProps(`${at}.to.kind`)}
      />
      {(kind === "cloudflare_images" || kind === "cloudflare_stream") && (
        <CloudflareFields form={form} at={`${at}.to`} images={kind === "cloudflare_images"} />
      )}
      {kind === "bucket" && <BucketSelect form={form} at={`${at}.to.bucket`} />}
      {kind === "webhook" && <WebhookFields form={form} at={`${at}.to`} />}
      {(kind === "bucket" || kind === "store") && (
        <TextInput
          {...CODE}
          label={kind === "bucket" ? "Path there" : "Key there"}
          description="{key} is its path in the source and must be in it, {name} its name."
          {...form.getInputProps(`${at}.to.key`)}
        />
      )}
      {kind === "store" && <StoreFields form={form} at={`${at}.to.store`} />}
      <WhenFields form={form} at={`${at}.when`} />
      <TargetMatching counting={counting} index={index} />
    </Part>
  );
}

const LEAD = "A file goes to the first target that takes it. What none takes is skipped.";

function CloudflareFields({ form, at, images }: { form: RuleForm; at: string; images: boolean }) {
  const field = (name: string) => ({ ...CODE, ...form.getInputProps(`${at}.${name}`) });
  const folded = ["id", "creator", "api", "batch"].map((name) => `${at}.${name}`);
  return (
    <>
      <TextInput label="Account" description="Its id." {...field("account")} />
      <SecretSelect
        {...FIELD}
        label="Token"
        about="Holds the token of the API."
        {...form.getInputProps(`${at}.token`)}
      />
      <Wide>
        <Switch
          label="Shown by signed addresses alone"
          {...form.getInputProps(`${at}.signed`, { type: "checkbox" })}
        />
      </Wide>
      <Folded
        label={images ? "More of Images" : "More of Stream"}
        open={hasErrors(form, ...folded)}
      >
        <TextInput
          label={images ? "Image's id" : "Video's name"}
          description={images ? "Such as file/{id}; empty: the key." : "Empty: {id}."}
          {...field("id")}
        />
        <TextInput
          label="Creator"
          description="For Cloudflare's own lists."
          {...field("creator")}
        />
        <TextInput
          label="Address of the API"
          description="Empty: Cloudflare's own."
          {...field("api")}
        />
        {images && (
          <>
            <TextInput
              label="Address for many images"
              description="Empty: Cloudflare's own."
              {...field("batch")}
            />
            <Wide>
              <Switch
                label="The account takes AVIF"
                {...form.getInputProps(`${at}.avif`, { type: "checkbox" })}
              />
            </Wide>
          </>
        )}
      </Folded>
    </>
  );
}

function WebhookFields({ form, at }: { form: RuleForm; at: string }) {
  return (
    <>
      <TextInput
        {...CODE}
        label="Address"
        placeholder="https://example.org/file-came"
        inputMode="url"
        {...form.getInputProps(`${at}.url`)}
      />
      <SecretSelect
        {...FIELD}
        label="Signed with"
        about="Without one it is not signed."
        placeholder="not signed"
        clearable
        {...form.getInputProps(`${at}.secret`)}
      />
    </>
  );
}

function WhenFields({ form, at }: { form: RuleForm; at: string }) {
  const field = (name: string) => ({ ...CODE, ...form.getInputProps(`${at}.${name}`) });
  return (
    <>
      <Wide>
        <TextInput
          label="Files of these types"
          description="Such as image/png, video/*; empty: of all."
          placeholder="all types"
          {...field("types")}
        />
      </Wide>
      <TextInput label="At least" placeholder="any size" {...field("min_size")} />
      <TextInput label="At most" placeholder="any size; 10 MB" {...field("max_size")} />
      <TextInput label="Whose path begins with" placeholder="anything" {...field("prefix")} />
      <Folded label="By metadata" open={needsLook(form, at)}>
        <Wide>
          <Textarea
            label="Metadata"
            description="name = value, a line for each; all must be so."
            placeholder="album = blue"
            autosize
            minRows={2}
            {...field("metadata")}
          />
        </Wide>
      </Folded>
    </>
  );
}

// Conditions that hold are not to be overlooked.
function needsLook(form: RuleForm, at: string): boolean {
  const { value } = form.getInputProps(`${at}.metadata`) as { value?: string };
  return Boolean(value) || hasErrors(form, `${at}.metadata`);
}
