import { live } from "../live";
import { inOrder, MappingList } from "../ui/lists";
import { Card, Loading, Page } from "../ui/parts";
import { NoMappings } from "./empty";

export function MappingsPage() {
  const { loaded, mappings } = live.value;
  return (
    <Page title="Event source mappings">
      <Card flush={mappings.length > 0}>{!loaded ? <Loading /> : mappings.length > 0 ? <MappingList mappings={inOrder(mappings)} /> : <NoMappings />}</Card>
    </Page>
  );
}
