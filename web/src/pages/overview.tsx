import { bytesOf, count, durationOf, rate } from "../format";
import { history, historyLength, live, type Live } from "../live";
import { to } from "../router";
import { Icon } from "../ui/icons";
import { AlarmList, FunctionList, inOrder, MappingList, recentErrors, StreamList, TableList } from "../ui/lists";
import { Card, Command, Empty, Figure, Loading, Page } from "../ui/parts";
import { Sparkline } from "../ui/sparkline";
import { NoAlarms, NoFunctions, NoMappings, NoStreams, NoTables, weir } from "./empty";

export function OverviewPage() {
  const state = live.value;
  if (!state.loaded) return <Page title="Overview"><Loading lines={8} /></Page>;
  const nothing = state.streams.length + state.functions.length + state.tables.length + state.mappings.length === 0;
  return (
    <Page title="Overview" under={state.server && <>{state.server.address} · {state.server.region}</>}>
      <InAlarm state={state} />
      {nothing ? <Welcome /> : <Everything state={state} />}
    </Page>
  );
}

const most = 10; // rows of a list; its own page has all

// All leads to the page of a list that is too long for this one.
function All(props: { count: number; section: string }) {
  if (props.count <= most) return null;
  return <a href={to(props.section)}>Show all</a>;
}

function Everything(props: { state: Live }) {
  const { state } = props;
  return (
    <>
      <Totals state={state} />
      <div class="grid-2">
        <Card title="Streams" count={state.streams.length} actions={<All count={state.streams.length} section="streams" />} flush>
          {state.streams.length > 0 ? <StreamList streams={state.streams.slice(0, most)} /> : <NoStreams small />}
        </Card>
        <Card title="Tables" count={state.tables.length} actions={<All count={state.tables.length} section="tables" />} flush>
          {state.tables.length > 0 ? <TableList tables={state.tables.slice(0, most)} /> : <NoTables small />}
        </Card>
      </div>
      <Card title="Functions" count={state.functions.length} actions={<All count={state.functions.length} section="functions" />} flush>
        {state.functions.length > 0 ? <FunctionList functions={state.functions.slice(0, most)} /> : <NoFunctions small />}
      </Card>
      <div class="grid-2">
        <Card title="Event source mappings" count={state.mappings.length} actions={<All count={state.mappings.length} section="mappings" />} flush>
          {state.mappings.length > 0 ? <MappingList mappings={inOrder(state.mappings).slice(0, most)} /> : <NoMappings small />}
        </Card>
        <Card title="Alarms" count={state.alarms.length} actions={<All count={state.alarms.length} section="alarms" />} flush>
          {state.alarms.length > 0 ? <AlarmList alarms={state.alarms} most={most} /> : <NoAlarms small />}
        </Card>
      </div>
    </>
  );
}

// InAlarm says first what needs attention.
function InAlarm(props: { state: Live }) {
  const alarms = props.state.alarms.filter((a) => a.state === "ALARM");
  if (alarms.length === 0) return null;
  return (
    <div class="banner" role="status">
      <Icon name="warning" />
      <div>
        <strong>{alarms.length === 1 ? "One alarm is on: " : `${alarms.length} alarms are on: `}</strong>
        {alarms.slice(0, 5).map((a, i) => (
          <span key={a.name}>
            {i > 0 && ", "}
            <a href={to("alarms", a.name)}>{a.name}</a>
          </span>
        ))}
        {alarms.length > 5 && <> and {alarms.length - 5} more</>}
      </div>
    </div>
  );
}

// Totals is the state of the whole in five figures.
function Totals(props: { state: Live }) {
  const { streams, functions, tables, mappings } = props.state;
  const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
  const records = sum(streams.map((s) => s.recordsPerSecond));
  const data = bytesOf(sum(streams.map((s) => s.bytesPerSecond)));
  const invocations = sum(functions.map((f) => f.invocationsPerSecond));
  const errors = sum(functions.map((f) => recentErrors(f.name)));
  const writes = sum(tables.map((t) => t.writesPerSecond));
  const behind = durationOf(Math.max(0, ...mappings.map((m) => m.iteratorAgeMs)));
  return (
    <div class="figures">
      <Figure label="Records in" value={rate(records)} unit="/s" note={`${data.value} ${data.unit}/s`}>
        <Sparkline values={added("streams", streams.map((s) => s.name), 0)} label="Records per second" />
      </Figure>
      <Figure label="Invocations" value={rate(invocations)} unit="/s" note={`${count(sum(functions.map((f) => f.concurrency)))} running`}>
        <Sparkline values={added("functions", functions.map((f) => f.name), 0)} label="Invocations per second" />
      </Figure>
      <Figure label="Errors" value={count(errors)} note="in 5 min" tone={errors > 0 ? "bad" : undefined}>
        <Sparkline values={added("functions", functions.map((f) => f.name), 1)} label="Errors per second" tone="bad" />
      </Figure>
      <Figure label="Writes" value={rate(writes)} unit="/s" note={`${count(sum(tables.map((t) => t.items)))} items`}>
        <Sparkline values={added("tables", tables.map((t) => t.name), 0)} label="Writes per second" />
      </Figure>
      <Figure label="Behind" value={behind.value} unit={behind.unit} note="slowest">
        <Sparkline values={highest(mappings.map((m) => m.uuid))} label="Iterator age" />
      </Figure>
    </div>
  );
}

function added(kind: "streams" | "functions" | "tables", names: string[], which: 0 | 1): number[] {
  const total = new Array<number>(historyLength).fill(0);
  for (const name of names) history(kind, name, which).forEach((v, i) => (total[i]! += v));
  return total;
}

function highest(ids: string[]): number[] {
  const top = new Array<number>(historyLength).fill(0);
  for (const id of ids) history("mappings", id, 1).forEach((v, i) => (top[i] = Math.max(top[i]!, v)));
  return top;
}

function Welcome() {
  return (
    <Card>
      <Empty title="Nothing runs here yet">
        <p>Weir takes events in, has functions count and transform them, and keeps the results in tables. Three ways to begin:</p>
        <div class="commands">
          <Command about="See it work: the web-analytics example with 10,000 real events, on a server of its own" text="weir demo --listen 127.0.0.1:0" />
          <Command about="Deploy an application of your own from its SAM template" text={weir("deploy template.yaml")} />
          <Command about="Or make a single stream with the AWS CLI" text={`eval "$(${weir("env")})"\naws kinesis create-stream --stream-name events --shard-count 2`} />
        </div>
      </Empty>
    </Card>
  );
}
