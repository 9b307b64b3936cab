import { base } from "../api";
import { Card, Empty, Page } from "../ui/parts";

export function NotFound(props: { what?: string }) {
  return (
    <Page title="Not found">
      <Card>
        <Empty title={props.what ?? "There is no such page."}>
          <p><a href={base}>Go to the overview</a></p>
        </Empty>
      </Card>
    </Page>
  );
}
