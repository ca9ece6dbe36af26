// Every address of the console. Pages are loaded when they are first opened.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { bucketQuery, may } from "./api/files";
import { queryClient } from "./api/query-client";
import { isAdmin, sessionQuery } from "./api/session";
import { NotFound, PageFailed, PagePending } from "./frame/Fallbacks";
import { readFilters } from "./pages/activity/filters";
import { readShown } from "./pages/files/place";
import { readAuditFilters } from "./pages/settings/audit-filters";
import { readNewSyncSearch, readSyncSearch } from "./pages/syncs/shown";

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search.to === "string" && /^\/(?![/\\])/.test(search.to) ? { to: search.to } : {},
  component: lazyRouteComponent(() => import("./pages/login/LoginPage"), "LoginPage"),
});

const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "frame",
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery);
    if (session) return;
    const to = location.href === "/" ? {} : { to: location.href };
    throw redirect({ to: "/login", search: to, replace: true });
  },
  component: lazyRouteComponent(() => import("./frame/Frame"), "Frame"),
});

const dashboardRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/dashboard/DashboardPage"), "DashboardPage"),
});

const filesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/files",
  component: lazyRouteComponent(() => import("./pages/files/FirstBucket"), "FirstBucket"),
});

const folderRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/files/$bucket/$",
  validateSearch: readShown,
  component: lazyRouteComponent(() => import("./pages/files/FilesPage"), "FilesPage"),
});

const bucketRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/buckets/$bucket",
  component: lazyRouteComponent(() => import("./pages/bucket/BucketPage"), "BucketPage"),
});

const bucketIndexRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/buckets/$bucket/about", params, replace: true });
  },
});

const bucketAboutRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "about",
  component: lazyRouteComponent(() => import("./pages/bucket/AboutPanel"), "AboutPanel"),
});

// As of the settings: who may not change a bucket is led to what can be seen of it.
const changersOnly = async ({ params }: { params: { bucket: string } }) => {
  const bucket = await queryClient.ensureQueryData(bucketQuery(params.bucket));
  if (!may(bucket, "change")) {
    throw redirect({ to: "/buckets/$bucket/about", params, replace: true });
  }
};

const bucketRulesRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "rules",
  beforeLoad: changersOnly,
  component: lazyRouteComponent(() => import("./pages/bucket/RulesPanel"), "RulesPanel"),
});

const bucketGrantsRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "grants",
  beforeLoad: changersOnly,
  component: lazyRouteComponent(() => import("./pages/bucket/GrantsPanel"), "GrantsPanel"),
});

const bucketWebhooksRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "webhooks",
  beforeLoad: changersOnly,
  component: lazyRouteComponent(() => import("./pages/bucket/WebhooksPanel"), "WebhooksPanel"),
});

const bucketStoreRoute = createRoute({
  getParentRoute: () => bucketRoute,
  path: "store",
  beforeLoad: changersOnly,
  component: lazyRouteComponent(() => import("./pages/bucket/StorePanel"), "StorePanel"),
});

const bundlesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/bundles",
  component: lazyRouteComponent(() => import("./pages/bundles/BundlesPage"), "BundlesPage"),
});

const bundleRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/bundles/$id",
  validateSearch: (search: Record<string, unknown>): { show?: string } =>
    typeof search.show === "string" ? { show: search.show } : {},
  component: lazyRouteComponent(() => import("./pages/bundles/BundlePage"), "BundlePage"),
});

const syncsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/syncs",
  component: lazyRouteComponent(() => import("./pages/syncs/SyncsPage"), "SyncsPage"),
});

// Beside the syncs and not below them, where a sync might have this name.
const newSyncRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/new-sync",
  validateSearch: readNewSyncSearch,
  beforeLoad: async () => {
    const session = await queryClient.ensureQueryData(sessionQuery);
    if (!isAdmin(session)) throw redirect({ to: "/syncs", replace: true });
  },
  component: lazyRouteComponent(() => import("./pages/syncs/NewSyncPage"), "NewSyncPage"),
});

const syncRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/syncs/$name",
  validateSearch: readSyncSearch,
  component: lazyRouteComponent(() => import("./pages/syncs/SyncPage"), "SyncPage"),
});

const activityRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/activity",
  validateSearch: (search: Record<string, unknown>) => ({
    ...readFilters(search),
    ...(typeof search.open === "string" ? { open: search.open } : {}),
  }),
  component: lazyRouteComponent(() => import("./pages/activity/ActivityPage"), "ActivityPage"),
});

const operationRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/operations/$id",
  component: lazyRouteComponent(() => import("./pages/operation/OperationPage"), "OperationPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings/SettingsPage"), "SettingsPage"),
});

const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/account", replace: true });
  },
});

// Who may not see a panel has no link to it; an address that was passed on leads here, too.
const adminOnly = async () => {
  const session = await queryClient.ensureQueryData(sessionQuery);
  if (!isAdmin(session)) throw redirect({ to: "/settings/account", replace: true });
};

const accountRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "account",
  component: lazyRouteComponent(() => import("./pages/settings/AccountPanel"), "AccountPanel"),
});

const schedulesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "schedules",
  component: lazyRouteComponent(() => import("./pages/settings/SchedulesPanel"), "SchedulesPanel"),
});

const auditRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "audit",
  beforeLoad: adminOnly,
  validateSearch: readAuditFilters,
  component: lazyRouteComponent(() => import("./pages/settings/AuditPanel"), "AuditPanel"),
});

const usersRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "users",
  beforeLoad: adminOnly,
  component: lazyRouteComponent(() => import("./pages/settings/UsersPanel"), "UsersPanel"),
});

const tokensRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "tokens",
  component: lazyRouteComponent(() => import("./pages/settings/TokensPanel"), "TokensPanel"),
});

const accessKeysRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "access-keys",
  component: lazyRouteComponent(
    () => import("./pages/settings/AccessKeysPanel"),
    "AccessKeysPanel",
  ),
});

const secretsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "secrets",
  beforeLoad: adminOnly,
  component: lazyRouteComponent(() => import("./pages/settings/SecretsPanel"), "SecretsPanel"),
});

const aboutRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "about",
  component: lazyRouteComponent(() => import("./pages/settings/AboutPanel"), "AboutPanel"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    loginRoute,
    frameRoute.addChildren([
      dashboardRoute,
      filesRoute,
      folderRoute,
      bucketRoute.addChildren([
        bucketIndexRoute,
        bucketAboutRoute,
        bucketRulesRoute,
        bucketGrantsRoute,
        bucketWebhooksRoute,
        bucketStoreRoute,
      ]),
      bundlesRoute,
      bundleRoute,
      syncsRoute,
      newSyncRoute,
      syncRoute,
      activityRoute,
      operationRoute,
      settingsRoute.addChildren([
        settingsIndexRoute,
        accountRoute,
        usersRoute,
        tokensRoute,
        accessKeysRoute,
        secretsRoute,
        schedulesRoute,
        auditRoute,
        aboutRoute,
      ]),
    ]),
  ]),
  defaultPreload: "intent",
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageFailed,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
