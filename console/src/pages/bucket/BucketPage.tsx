// A bucket itself: what it holds, its rules, who may, whom it tells, who tells it. A
// panel for each; only what this user may see is listed.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet } from "@tanstack/react-router";
import { bucketQuery, may } from "../../api/files";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink, TextLink } from "../../components/links";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import classes from "../settings/Settings.module.css";

const route = getRouteApi("/frame/buckets/$bucket");

const PANELS = [
  { to: "/buckets/$bucket/about", name: "About", rules: false },
  { to: "/buckets/$bucket/rules", name: "Rules", rules: true },
  { to: "/buckets/$bucket/grants", name: "Grants", rules: true },
  { to: "/buckets/$bucket/webhooks", name: "Webhooks", rules: true },
  { to: "/buckets/$bucket/store", name: "Store", rules: true },
] as const;

export function BucketPage() {
  const { bucket: name } = route.useParams();
  const { data: bucket, error, refetch } = useQuery(bucketQuery(name));
  return (
    <Page
      title={`Bucket ${name}`}
      actions={
        <ButtonLink to="/files/$bucket/$" params={{ bucket: name, _splat: "" }} variant="default">
          Its files
        </ButtonLink>
      }
    >
      {bucket ? (
        <div className={classes.layout}>
          <nav aria-label="Of this bucket" className={classes.nav}>
            {PANELS.filter(({ rules }) => !rules || may(bucket, "change")).map((panel) => (
              <TextLink
                key={panel.to}
                to={panel.to}
                params={{ bucket: name }}
                className={classes.link}
                underline="never"
              >
                {panel.name}
              </TextLink>
            ))}
          </nav>
          <div className={classes.panel}>
            <Outlet />
          </div>
        </div>
      ) : error ? (
        <ErrorPanel title="The bucket could not be read" error={error} onRetry={refetch} />
      ) : (
        <Waiting what="Reading the bucket…" />
      )}
    </Page>
  );
}
