import { live } from "../live";
import { TableList } from "../ui/lists";
import { Card, Loading, Page } from "../ui/parts";
import { NoTables } from "./empty";

export function TablesPage() {
  const { loaded, tables } = live.value;
  return (
    <Page title="Tables">
      <Card flush={tables.length > 0}>{!loaded ? <Loading /> : tables.length > 0 ? <TableList tables={tables} /> : <NoTables />}</Card>
    </Page>
  );
}
