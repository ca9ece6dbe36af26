// Every operation: sorted and filtered by the server, the filters in the address.
import { getRouteApi } from "@tanstack/react-router";
import { Page } from "../../components/Page";
import { ActivityFilters } from "./ActivityFilters";
import { ActivityTable } from "./ActivityTable";
import { ExportMenu } from "./ExportMenu";
import { type Filters, readFilters } from "./filters";
import { OperationDrawer } from "./OperationDrawer";

const route = getRouteApi("/frame/activity");

export function ActivityPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filters = readFilters({ ...search });
  const change = (next: Filters) => navigate({ search: next, replace: true, resetScroll: false });
  const open = (id: string | undefined) =>
    navigate({
      search: (before) => ({ ...readFilters({ ...before }), ...(id ? { open: id } : {}) }),
      resetScroll: false,
    });
  return (
    <Page
      title="Activity"
      lead="Everything that took time: running, waiting and ended."
      actions={<ExportMenu filters={filters} />}
    >
      <ActivityFilters filters={filters} onChange={change} />
      <ActivityTable filters={filters} onChange={change} onOpen={open} />
      <OperationDrawer id={search.open} onClose={() => open(undefined)} />
    </Page>
  );
}
