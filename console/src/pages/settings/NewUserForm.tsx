import { PasswordInput, Select, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { userList } from "../../api/settings";
import type { Role } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyLine } from "../../components/CopyLine";
import { ErrorPanel } from "../../components/ErrorPanel";
import { PASSWORD_TOGGLE, passwordProblem } from "./passwords";
import { ROLES } from "./roles";
import classes from "./Settings.module.css";

interface NewUser {
  name: string;
  role: Role;
  password: string;
}

export function NewUserForm() {
  const form = useForm<NewUser>({
    initialValues: { name: "", role: "operator", password: "" },
    validate: {
      name: (name) => (name.trim() === "" ? "Give a name" : null),
      password: (password) => (password === "" ? null : passwordProblem(password)),
    },
  });
  const adding = useMutation({
    mutationFn: ({ name, role, password }: NewUser) =>
      take(api.POST("/api/v1/users", { body: { name, role, ...(password ? { password } : {}) } })),
    onSuccess: () => {
      form.reset();
      return queryClient.invalidateQueries({ queryKey: userList.queryKey });
    },
  });
  return (
    <form
      className={`card ${classes.form}`}
      onSubmit={form.onSubmit((values) => adding.mutate({ ...values, name: values.name.trim() }))}
    >
      <TextInput
        label="Name"
        autoCapitalize="none"
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <Select label="Role" allowDeselect={false} data={ROLES} {...form.getInputProps("role")} />
      <PasswordInput
        label="First password"
        placeholder="Empty: one is made up"
        autoComplete="new-password"
        visibilityToggleButtonProps={PASSWORD_TOGGLE}
        {...form.getInputProps("password")}
      />
      <ActButton type="submit" className={classes.submit} busy={adding.isPending}>
        {adding.isPending ? "Adding…" : "Add user"}
      </ActButton>
      {adding.data?.password && (
        <div className={classes.wide}>
          <Text size="sm" mb={6}>
            {adding.data.name} is added. This is the only time the password is shown:
          </Text>
          <CopyLine text={adding.data.password} label="Copy password" />
        </div>
      )}
      {adding.error && (
        <div className={classes.wide}>
          <ErrorPanel
            title="The user was not added"
            error={adding.error}
            onDismiss={adding.reset}
          />
        </div>
      )}
    </form>
  );
}
