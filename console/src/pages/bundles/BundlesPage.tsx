// Making a bundle, and the ones made before.
import { Title } from "@mantine/core";
import { useMay } from "../../api/session";
import { Page } from "../../components/Page";
import { WhyNot } from "../../components/WhyNot";
import { BundleForm } from "./BundleForm";
import { BundleList } from "./BundleList";

export function BundlesPage() {
  const mayMake = useMay("operator");
  return (
    <Page
      title="Bundles"
      lead="Give it a list of addresses; Longshore fetches them at once and packs one zip."
    >
      {mayMake ? <BundleForm /> : <WhyNot needs="operator" what="make bundles" />}
      <section aria-labelledby="earlier">
        <Title order={2} id="earlier" mb="sm">
          Earlier bundles
        </Title>
        <BundleList />
      </section>
    </Page>
  );
}
