// A new password. One's own needs the present one too.
import { Button, PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client";
import { ErrorPanel } from "../../components/ErrorPanel";
import classes from "./Settings.module.css";

interface PasswordFormProps {
  name: string;
  self: boolean;
  onDone: () => void;
}

const TOGGLE = { "aria-label": "Show or hide the password", tabIndex: 0 };

export function PasswordForm({ name, self, onDone }: PasswordFormProps) {
  const form = useForm({
    initialValues: { current: "", password: "" },
    validate: {
      password: (password) => (password.length < 10 ? "At least 10 characters" : null),
      current: (current) => (self && current === "" ? "Enter the present password" : null),
    },
  });
  const setting = useMutation({
    mutationFn: ({ current, password }: { current: string; password: string }) =>
      api.POST("/api/v1/users/{name}/password", {
        params: { path: { name } },
        body: { password, ...(self ? { current } : {}) },
      }),
    onSuccess: onDone,
  });
  return (
    <form className={classes.form} onSubmit={form.onSubmit((values) => setting.mutate(values))}>
      {self && (
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          visibilityToggleButtonProps={TOGGLE}
          {...form.getInputProps("current")}
        />
      )}
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        visibilityToggleButtonProps={TOGGLE}
        {...form.getInputProps("password")}
      />
      <Button type="submit" className={classes.submit} disabled={setting.isPending}>
        {setting.isPending ? "Setting…" : "Set password"}
      </Button>
      {setting.error && (
        <div className={classes.wide}>
          <ErrorPanel title="The password was not set" error={setting.error} />
        </div>
      )}
    </form>
  );
}
