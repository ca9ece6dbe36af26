// What stands where a page should be: still loading, failed, or no such address.
import { Container, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ErrorPanel } from "../components/ErrorPanel";
import { ButtonLink } from "../components/links";
import { usePageTitle } from "../components/Page";
import { Waiting } from "../components/Waiting";

export function PagePending() {
  return <Waiting what="Loading the page…" />;
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = async () => {
    // What failed may have been a part of the page that was to be loaded.
    await router.invalidate();
    reset();
  };
  return (
    <Container size="sm" py="xl">
      <ErrorPanel title="This page could not be shown" error={error} onRetry={() => void again()} />
    </Container>
  );
}

export function NotFound() {
  usePageTitle("Not found");
  return (
    <Container size="sm" py={80} component="main">
      <Stack align="flex-start">
        <Title order={1}>There is nothing at this address</Title>
        <Text>It may have been deleted or moved, or the address is incomplete.</Text>
        <ButtonLink to="/">Go to the dashboard</ButtonLink>
      </Stack>
    </Container>
  );
}
