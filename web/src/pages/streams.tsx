import { live } from "../live";
import { StreamList } from "../ui/lists";
import { Card, Loading, Page } from "../ui/parts";
import { NoStreams } from "./empty";

export function StreamsPage() {
  const { loaded, streams } = live.value;
  return (
    <Page title="Streams">
      <Card flush={streams.length > 0}>{!loaded ? <Loading /> : streams.length > 0 ? <StreamList streams={streams} /> : <NoStreams />}</Card>
    </Page>
  );
}
