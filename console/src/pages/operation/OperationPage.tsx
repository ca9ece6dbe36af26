// One operation at an address of its own.
import { Stack } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { TextLink } from "../../components/links";
import { OperationView } from "./OperationView";

const route = getRouteApi("/frame/operations/$id");

export function OperationPage() {
  const { id } = route.useParams();
  return (
    <Stack gap={4}>
      <TextLink to="/activity" size="sm" w="fit-content">
        Activity
      </TextLink>
      <OperationView key={id} id={id} level={1} />
    </Stack>
  );
}
