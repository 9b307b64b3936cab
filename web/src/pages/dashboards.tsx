import { bytes, plural } from "../format";
import { live } from "../live";
import { to } from "../router";
import { Card, Loading, Page, When } from "../ui/parts";
import { DashboardPage } from "./dashboard";
import { NoDashboards } from "./empty";

// DashboardsPage lists the dashboards; a single one is shown at once.
export function DashboardsPage() {
  const { loaded, dashboards } = live.value;
  if (dashboards.length === 1) return <DashboardPage name={dashboards[0]!.name} />;
  return (
    <Page title="Dashboards" under={dashboards.length > 0 ? plural(dashboards.length, "dashboard") : undefined}>
      <Card flush={dashboards.length > 0}>
        {!loaded ? <Loading /> : dashboards.length === 0 ? <NoDashboards /> : (
          <table class="list">
            <thead><tr><th>Name</th><th class="right">Size</th><th class="right">Changed</th></tr></thead>
            <tbody>
              {dashboards.map((d) => (
                <tr key={d.name}>
                  <th scope="row" class="name"><a href={to("dashboards", d.name)}>{d.name}</a></th>
                  <td class="right num">{bytes(d.bytes)}</td>
                  <td class="right quiet"><When at={d.modified} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </Page>
  );
}
