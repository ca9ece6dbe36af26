import { Button, PasswordInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { userList } from "../../api/settings";
import type { Role } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
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
      password: (password) => (password.length < 12 ? "At least 12 characters" : null),
    },
  });
  const adding = useMutation({
    mutationFn: (body: NewUser) => api.POST("/api/v1/users", { body }),
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
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": "Show or hide the password", tabIndex: 0 }}
        {...form.getInputProps("password")}
      />
      <Button type="submit" className={classes.submit} disabled={adding.isPending}>
        {adding.isPending ? "Adding…" : "Add user"}
      </Button>
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
