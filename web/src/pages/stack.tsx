import { useData } from "../api";
import type { StackDetail, StackEvent, StackImport, StackResource, StackValue } from "../data";
import { zoneName } from "../format";
import { live } from "../live";
import { to } from "../router";
import { Card, Copy, Empty, Exact, Loading, Page, Problem, State, When } from "../ui/parts";

export function StackPage(props: { name: string }) {
  const summary = live.value.stacks.find((s) => s.name === props.name);
  const { data, error, loading } = useData<StackDetail>(`stacks/${encodeURIComponent(props.name)}`, JSON.stringify(summary));
  const back = { to: to("stacks"), label: "Stacks" };
  if (loading) return <Page title={props.name} back={back}><Loading lines={8} /></Page>;
  if (!data) return <Page title={props.name} back={back}><Problem>{error}</Problem></Page>;
  return (
    <Page title={data.name} back={back} under={data.description} actions={<span class="status-line"><State state={data.status} /><span class="quiet"><When at={data.updated ?? data.created} /></span></span>}>
      {data.reason && <Problem>{data.reason}</Problem>}
      <Card title="Resources" count={data.members?.length ?? 0} flush>
        {data.members?.length ? <Resources members={data.members} /> : <Empty small title="This stack has no resources." />}
      </Card>
      <div class="grid-2 grid-top">
        <Values title="Outputs" values={data.outputs} />
        <Values title="Parameters" values={data.parameters} />
      </div>
      {data.imports && <Imports imports={data.imports} />}
      <Card title="Events" count={data.events?.length ?? 0} flush>
        {data.events?.length ? <Events events={data.events} /> : <Empty small title="No events." />}
      </Card>
    </Page>
  );
}

// pages are those that show a kind of resource by its physical name.
const pages: Record<string, string> = {
  "AWS::Kinesis::Stream": "streams",
  "AWS::DynamoDB::Table": "tables",
  "AWS::Lambda::Function": "functions",
  "AWS::Serverless::Function": "functions",
  "AWS::CloudWatch::Alarm": "alarms",
  "AWS::CloudWatch::Dashboard": "dashboards",
};

function Resources(props: { members: StackResource[] }) {
  return (
    <table class="list list-fixed">
      <thead><tr><th>Logical name</th><th class="mid">Name</th><th>Status</th></tr></thead>
      <tbody>
        {props.members.map((m) => {
          const page = pages[m.type];
          const name = m.physicalId.split(":").at(-1) ?? m.physicalId;
          const physical = page ? <a href={to(page, m.physicalId)}>{m.physicalId}</a> : <span title={m.physicalId}>{name}</span>;
          return (
            <tr key={m.logicalId}>
              <th scope="row" class="name">
                {m.logicalId}
                <div class="under">{m.type}</div>
                <div class="under narrow-only">{physical}</div>
              </th>
              <td class="mid cell">{physical}</td>
              <td><State state={m.status} small /></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Values(props: { title: string; values?: StackValue[] }) {
  return (
    <Card title={props.title} count={props.values?.length ?? 0}>
      {!props.values?.length ? <Empty small title="None." /> : (
        <dl class="facts">
          {props.values.map((v) => (
            <div key={v.key}>
              <dt title={v.description}>{v.key}</dt>
              <dd>
                <div class="value">
                  <span>{v.value}</span>
                  <Copy text={v.value} label={v.key} />
                </div>
                {v.export && (
                  <div class="under">
                    exported as {v.export}
                    {v.importedBy && <>, imported by <Stacks names={v.importedBy} /></>}
                  </div>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

function Stacks(props: { names: string[] }) {
  return <>{props.names.map((name, i) => <>{i > 0 && ", "}<a href={to("stacks", name)}>{name}</a></>)}</>;
}

function Imports(props: { imports: StackImport[] }) {
  return (
    <Card title="Imports" count={props.imports.length}>
      <dl class="facts">
        {props.imports.map((i) => (
          <div key={i.export}>
            <dt>{i.from ? <>from <Stacks names={[i.from]} /></> : "from no stack"}</dt>
            <dd>{i.export}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Events(props: { events: StackEvent[] }) {
  return (
    <table class="list list-dense">
      <thead><tr><th class="mid">Time ({zoneName()})</th><th>Resource</th><th>Status</th></tr></thead>
      <tbody>
        {props.events.map((e, i) => (
          <tr key={i}>
            <td class="mid quiet"><Exact at={e.time} precision="ms" /></td>
            <td class="wraps">
              {e.logicalId}
              {e.reason && <div class="under">{e.reason}</div>}
              <div class="under narrow-only"><Exact at={e.time} precision="ms" /></div>
            </td>
            <td><State state={e.status} small /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
