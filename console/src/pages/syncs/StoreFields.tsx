// Where an S3-compatible store is, and who opens it.
import { Switch, TextInput } from "@mantine/core";
import { SecretSelect } from "../../components/SecretSelect";
import { Wide } from "../settings/PanelForm";
import { CODE, FIELD, type RuleForm } from "./rule-form";

/** `at` is where the store stands in the rule: "source.store". */
export function StoreFields({ form, at }: { form: RuleForm; at: string }) {
  const field = (name: string) => form.getInputProps(`${at}.${name}`);
  return (
    <>
      <TextInput
        {...CODE}
        label="Endpoint"
        placeholder="https://fra1.digitaloceanspaces.com"
        inputMode="url"
        {...field("endpoint")}
      />
      <TextInput {...CODE} label="Bucket there" placeholder="media" {...field("bucket")} />
      <TextInput {...CODE} label="Access key" {...field("access_key")} />
      <SecretSelect
        {...FIELD}
        label="Its secret"
        about="Holds the access key's secret."
        {...field("secret")}
      />
      <TextInput
        {...CODE}
        label="Only below"
        placeholder="everything; covers/ is that folder"
        {...field("prefix")}
      />
      <TextInput {...CODE} label="Region" placeholder="us-east-1" {...field("region")} />
      <Wide>
        <Switch
          label="The bucket stands in the path"
          description="Off: in the name of the host."
          {...form.getInputProps(`${at}.path_style`, { type: "checkbox" })}
        />
      </Wide>
    </>
  );
}
