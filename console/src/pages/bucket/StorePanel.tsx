// The store that a bucket lies in, seen from here: whether it tells of what others do to
// its objects, and comparing with it.
import { Text } from "@mantine/core";
import { Panel } from "../settings/Panel";
import { Comparing } from "./Comparing";
import { StoreHook } from "./StoreHook";
import { StoreSchedules } from "./StoreSchedules";
import { useBucket } from "./use-bucket";

export function StorePanel() {
  const { name, storage } = useBucket();
  if (storage.kind === "disk") {
    return (
      <Panel title="Store" lead="Where others put and remove files beside Longshore.">
        <Text size="sm">
          This bucket lies on the disk of this server, where nobody else puts anything: there is no
          store that could tell of it, and nothing to compare with.
        </Text>
      </Panel>
    );
  }
  return (
    <Panel
      title="Store"
      lead={`${storage.bucket} at ${storage.endpoint}. What others put, change and remove there appears here: the store tells of it, and comparing finds the rest.`}
    >
      <StoreHook bucket={name} />
      <Comparing bucket={name} />
      <StoreSchedules bucket={name} />
    </Panel>
  );
}
