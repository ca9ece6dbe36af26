// One bundle, from its first source to the saved zip. Its id is in the address,
// so a reload attaches again and replays what was missed.
import { Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { Page } from "../../components/Page";
import { StateBadge } from "../../components/StateBadge";
import { Ago } from "../../components/Times";
import { Waiting } from "../../components/Waiting";
import { WhyNot } from "../../components/WhyNot";
import { actorName } from "../../format/actor";
import { BundleActions } from "./BundleActions";
import { BundleProgress } from "./BundleProgress";
import { BundleSave } from "./BundleSave";
import { SourceTable } from "./SourceTable";
import { useBundleLive } from "./use-bundle-live";

const route = getRouteApi("/frame/bundles/$id");

export function BundlePage() {
  const { id } = route.useParams();
  return <OneBundle key={id} id={id} />;
}

function OneBundle({ id }: { id: string }) {
  const { query, bundle, live } = useBundleLive(id);
  const trail = (
    <TextLink to="/bundles" size="sm" w="fit-content">
      Bundles
    </TextLink>
  );
  if (!bundle) {
    return (
      <Page title="Bundle" trail={trail}>
        {query.error ? (
          <ErrorPanel
            title="This bundle could not be read"
            error={query.error}
            onRetry={query.refetch}
          />
        ) : (
          <Waiting what="Reading the bundle…" />
        )}
      </Page>
    );
  }
  const { operation } = bundle;
  return (
    <Page
      title={bundle.name}
      trail={trail}
      beside={<StateBadge alone state={bundle.state} />}
      actions={<BundleActions bundle={bundle} />}
    >
      <Text size="sm" c="dimmed" mt={-12}>
        Made <Ago time={bundle.created_at} />
        {operation && ` by ${actorName(operation.actor)}`} ·{" "}
        <TextLink to="/operations/$id" params={{ id }} size="sm" underline="always">
          Operation and log
        </TextLink>
        {operation?.retry_of && (
          <>
            {" · again from "}
            <TextLink
              to="/bundles/$id"
              params={{ id: operation.retry_of }}
              size="sm"
              underline="always"
            >
              an earlier bundle
            </TextLink>
          </>
        )}
      </Text>
      <WhyNot needs="operator" what="cancel, repeat and delete bundles" />
      {query.error && (
        <ErrorPanel
          title="This may be out of date: the bundle could not be read again"
          error={query.error}
          onRetry={query.refetch}
        />
      )}
      {operation?.error && (
        <ErrorPanel
          title={bundle.state === "failed" ? "The bundle failed" : "The bundle ended early"}
          error={new Error(`${operation.error.message} (${operation.error.code})`)}
        />
      )}
      <BundleSave bundle={bundle} />
      <BundleProgress bundle={bundle} live={live} />
      <SourceTable bundle={bundle} live={live} />
    </Page>
  );
}
