import { plural } from "../format";
import { live } from "../live";
import { to } from "../router";
import { Card, Loading, Page, State, When } from "../ui/parts";
import { NoStacks } from "./empty";

export function StacksPage() {
  const { loaded, stacks } = live.value;
  return (
    <Page title="Stacks">
      <Card flush={stacks.length > 0}>
        {!loaded ? <Loading /> : stacks.length === 0 ? <NoStacks /> : (
          <table class="list">
            <thead><tr><th>Name</th><th class="right mid">Resources</th><th class="right mid">Updated</th><th>Status</th></tr></thead>
            <tbody>
              {stacks.map((s) => (
                <tr key={s.name}>
                  <th scope="row" class="name">
                    <a href={to("stacks", s.name)}>{s.name}</a>
                    <div class="under">{s.description || plural(s.resources, "resource")}</div>
                  </th>
                  <td class="right num mid">{s.resources}</td>
                  <td class="right quiet mid"><When at={s.updated ?? s.created} /></td>
                  <td><State state={s.status} small /></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </Page>
  );
}
