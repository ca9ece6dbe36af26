import { PasswordInput, Select, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, take } from "../../api/client";
import { userList } from "../../api/settings";
import type { Role } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { nameProblem } from "./names";
import { PanelForm } from "./PanelForm";
import { useChange } from "./PanelList";
import { PASSWORD_TOGGLE, passwordProblem } from "./passwords";
import { ROLES } from "./roles";

interface NewUser {
  name: string;
  role: Role;
  password: string;
}

export function NewUserForm() {
  const form = useForm<NewUser>({
    initialValues: { name: "", role: "operator", password: "" },
    validate: {
      name: nameProblem,
      password: (password) => (password === "" ? null : passwordProblem(password)),
    },
  });
  const adding = useChange({
    change: ({ name, role, password }: NewUser) =>
      take(
        api.POST("/api/v1/users", {
          body: { name: name.trim(), role, ...(password ? { password } : {}) },
        }),
      ),
    list: userList,
    done: form.reset,
  });
  return (
    <PanelForm
      line
      saving={adding}
      words={{ save: "Add user", saving: "Adding…", failed: "The user was not added" }}
      onSubmit={form.onSubmit((values) => adding.mutate(values))}
      foot={
        adding.data?.password && (
          <>
            <Text size="sm" mb={6}>
              {adding.data.name} is added. This is the only time the password is shown:
            </Text>
            <CopyLine text={adding.data.password} label="Copy password" />
          </>
        )
      }
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
    </PanelForm>
  );
}
