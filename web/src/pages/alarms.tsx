import { live } from "../live";
import { AlarmList } from "../ui/lists";
import { Card, Loading, Page } from "../ui/parts";
import { NoAlarms } from "./empty";

export function AlarmsPage() {
  const { loaded, alarms } = live.value;
  return (
    <Page title="Alarms">
      <Card flush={alarms.length > 0}>{!loaded ? <Loading /> : alarms.length > 0 ? <AlarmList alarms={alarms} /> : <NoAlarms />}</Card>
    </Page>
  );
}
