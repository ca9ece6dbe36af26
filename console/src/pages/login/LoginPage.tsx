// Logging in. Says what went wrong without saying which half of it was wrong.
import { Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { asProblem } from "../../api/problem";
import { logIn } from "../../api/session";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { usePageTitle } from "../../components/Page";
import { Mark } from "../../frame/Mark";
import classes from "./LoginPage.module.css";

const route = getRouteApi("/login");

export function LoginPage() {
  usePageTitle("Log in");
  const router = useRouter();
  const { to } = route.useSearch();
  const form = useForm({
    initialValues: { name: "", password: "" },
    validate: {
      name: (value) => (value.trim() === "" ? "Enter your user name" : null),
      password: (value) => (value === "" ? "Enter your password" : null),
    },
  });
  const attempt = useMutation({
    mutationFn: ({ name, password }: { name: string; password: string }) =>
      logIn(name.trim(), password),
    onSuccess: () => router.history.replace(to ?? "/"),
    onError: () => form.setFieldValue("password", ""),
  });
  return (
    <main className={classes.page}>
      <Paper className={classes.card} p="xl" withBorder>
        <form onSubmit={form.onSubmit((values) => attempt.mutate(values))} noValidate>
          <Stack gap="md">
            <Mark size={34} />
            <div>
              <Title order={1}>Log in to Longshore</Title>
              <Text size="sm" c="dimmed" className="ellipsis">
                {location.host}
              </Text>
            </div>
            <TextInput
              label="User name"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              {...form.getInputProps("name")}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              visibilityToggleButtonProps={{
                "aria-label": "Show or hide the password",
                tabIndex: 0,
              }}
              {...form.getInputProps("password")}
            />
            {attempt.error && <LoginError error={attempt.error} />}
            <ActButton type="submit" busy={attempt.isPending} fullWidth>
              {attempt.isPending ? "Logging in…" : "Log in"}
            </ActButton>
          </Stack>
        </form>
      </Paper>
      <Text size="xs" c="dimmed" ta="center" maw={380} style={{ textWrap: "balance" }}>
        Lost the password? On the host,{" "}
        <code style={{ whiteSpace: "nowrap" }}>longshore user reset-password NAME</code> sets a new
        one.
      </Text>
    </main>
  );
}

function LoginError({ error }: { error: unknown }) {
  const problem = asProblem(error);
  if (problem.status === 401) {
    return (
      <Text role="alert" size="sm" c="var(--mantine-color-error)">
        This name and password do not belong together. Check both and try again.
      </Text>
    );
  }
  if (problem.status === 429) {
    const wait = problem.retryAfter ? `Try again in ${problem.retryAfter} s.` : "Wait a minute.";
    return (
      <Text role="alert" size="sm" c="var(--mantine-color-error)">
        Too many attempts from here. {wait}
      </Text>
    );
  }
  return <ErrorPanel title="Logging in failed" error={error} />;
}
