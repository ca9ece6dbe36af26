// Making a sync, from nothing or like another: the same form, filled in.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { makeSync, syncList, syncQuery } from "../../api/syncs";
import { ButtonLink } from "../../components/links";
import { Page } from "../../components/Page";
import { Loaded } from "../settings/Panel";
import { useChange } from "../settings/PanelList";
import { type SyncValues, startValues, toRule, valuesOf } from "./rule-values";
import { SyncForm } from "./SyncForm";

const route = getRouteApi("/frame/new-sync");

export function NewSyncPage() {
  const { like } = route.useSearch();
  return (
    <Page
      title={like ? `New sync like ${like}` : "New sync"}
      lead="From where files come, and which of them goes to which target."
      trail={
        <div>
          <ButtonLink to="/syncs" variant="subtle" size="compact-sm" color="gray" ml={-8}>
            All syncs
          </ButtonLink>
        </div>
      }
    >
      {like === undefined ? <Making initial={startValues()} /> : <Like key={like} name={like} />}
    </Page>
  );
}

function Like({ name }: { name: string }) {
  const query = useQuery(syncQuery(name));
  return (
    <Loaded query={query} what={`the sync ${name}`}>
      {({ rule }) => <Making initial={valuesOf("", rule)} />}
    </Loaded>
  );
}

function Making({ initial }: { initial: SyncValues }) {
  const navigate = route.useNavigate();
  const making = useChange({
    change: (values: SyncValues) =>
      makeSync({ name: values.name.trim(), paused: values.paused, rule: toRule(values) }),
    list: syncList,
    done: ({ name }) => void navigate({ to: "/syncs/$name", params: { name } }),
  });
  return (
    <SyncForm initial={initial} saving={making} onLeave={() => void navigate({ to: "/syncs" })} />
  );
}
