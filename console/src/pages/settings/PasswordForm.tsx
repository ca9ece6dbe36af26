// A new password. One's own needs the present one too.
import { PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { PASSWORD_TOGGLE, passwordProblem } from "./passwords";
import classes from "./Settings.module.css";

interface PasswordFormProps {
  name: string;
  self: boolean;
  onDone: () => void;
}

export function PasswordForm({ name, self, onDone }: PasswordFormProps) {
  const form = useForm({
    initialValues: { current: "", password: "" },
    validate: {
      password: passwordProblem,
      current: (current) => (self && current === "" ? "Enter the present password" : null),
    },
  });
  const setting = useMutation({
    mutationFn: ({ current, password }: { current: string; password: string }) =>
      api.POST("/api/v1/users/{name}/password", {
        params: { path: { name } },
        body: { password, ...(self ? { current } : {}) },
      }),
    onSuccess: () => {
      form.reset();
      onDone();
    },
  });
  return (
    <form className={classes.form} onSubmit={form.onSubmit((values) => setting.mutate(values))}>
      {self && (
        <PasswordInput
          label="Present password"
          autoComplete="current-password"
          visibilityToggleButtonProps={PASSWORD_TOGGLE}
          {...form.getInputProps("current")}
        />
      )}
      <PasswordInput
        label="New password"
        autoComplete="new-password"
        visibilityToggleButtonProps={PASSWORD_TOGGLE}
        {...form.getInputProps("password")}
      />
      <ActButton type="submit" className={classes.submit} busy={setting.isPending}>
        {setting.isPending ? "Setting…" : "Set password"}
      </ActButton>
      {setting.error && (
        <div className={classes.wide}>
          <ErrorPanel title="The password was not set" error={setting.error} />
        </div>
      )}
    </form>
  );
}
