// A new password. One's own needs the present one too.
import { PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client";
import { PanelForm } from "./PanelForm";
import { PASSWORD_TOGGLE, passwordProblem } from "./passwords";

interface PasswordFormProps {
  name: string;
  self: boolean;
  /** Unfolded within a card. */
  bare?: boolean;
  onDone: () => void;
}

export function PasswordForm({ name, self, bare = false, onDone }: PasswordFormProps) {
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
    <PanelForm
      line
      bare={bare}
      saving={setting}
      words={{ save: "Set password", saving: "Setting…", failed: "The password was not set" }}
      onSubmit={form.onSubmit((values) => setting.mutate(values))}
    >
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
    </PanelForm>
  );
}
