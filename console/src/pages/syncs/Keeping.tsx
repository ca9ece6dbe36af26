// Making another sync like one, and its end: what is lost is said before.
import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { queryClient } from "../../api/query-client";
import { deleteSync, syncList, syncQuery } from "../../api/syncs";
import type { SyncShown } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { counted } from "../../format/numbers";
import { DeleteButton } from "../settings/PanelList";

const route = getRouteApi("/frame/syncs/$name");

export function Keeping({ sync: { name, counts, actions } }: { sync: SyncShown }) {
  const navigate = route.useNavigate();
  const deleting = useMutation({
    mutationFn: () => deleteSync(name),
    onSuccess: async () => {
      await navigate({ to: "/syncs", search: {} });
      queryClient.removeQueries({ queryKey: syncQuery(name).queryKey });
      await queryClient.invalidateQueries({ queryKey: syncList.queryKey });
    },
  });
  const known = Object.values(counts).reduce((sum, number) => sum + (number ?? 0), 0);
  return (
    <>
      <ButtonLink to="/new-sync" search={{ like: name }} size="xs" variant="default">
        Duplicate
      </ButtonLink>
      {actions.includes("delete") && (
        <DeleteButton
          name={name}
          deleting={deleting}
          consequences={[
            `What is known of ${counted(known, "file")} goes with it, the proof of what was delivered included: a sync that is made anew delivers them again, or finds them at their target.`,
            "What it delivered stays where it is, and the operations of its passes stay in Activity.",
          ]}
        />
      )}
      {deleting.error && (
        <ErrorPanel
          title={`${name} was not deleted`}
          error={deleting.error}
          onDismiss={deleting.reset}
        />
      )}
    </>
  );
}
