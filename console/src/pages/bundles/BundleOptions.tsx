// The choices of a bundle, folded: the defaults are right for nearly all.
import { Checkbox, Select, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Fold } from "../../components/Fold";
import classes from "./BundleForm.module.css";
import { areChanged, DAY, type OptionValues } from "./bundle-options";

export function BundleOptionsFields({ form }: { form: UseFormReturnType<OptionValues> }) {
  return (
    <Fold label="Options" initially={areChanged(form.values)}>
      <div className={classes.options}>
        <TextInput
          label="Name"
          description="Of the zip file"
          placeholder="covers-may"
          {...form.getInputProps("name")}
        />
        <Select
          label="Order in the zip"
          description="Arrival is faster"
          allowDeselect={false}
          data={[
            { value: "arrival", label: "As they arrive" },
            { value: "source", label: "As listed" },
          ]}
          {...form.getInputProps("order")}
        />
        <Select
          label="Compression"
          description="Images and videos are stored either way"
          allowDeselect={false}
          data={[
            { value: "auto", label: "Where it helps" },
            { value: "never", label: "Never" },
          ]}
          {...form.getInputProps("compress")}
        />
        <Select
          label="Keep the zip for"
          description="Then its bytes are freed"
          allowDeselect={false}
          data={[
            { value: String(DAY), label: "1 day" },
            { value: String(7 * DAY), label: "7 days" },
            { value: String(30 * DAY), label: "30 days" },
          ]}
          {...form.getInputProps("expiresIn")}
        />
        <Checkbox
          className={classes.whole}
          label="Fail when any file fails"
          description="Otherwise the zip holds what could be had, and a report of the rest"
          {...form.getInputProps("strict", { type: "checkbox" })}
        />
      </div>
    </Fold>
  );
}
