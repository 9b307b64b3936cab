// The lists of resources, as the overview and the pages of their kinds show them.
import type { ComponentChildren } from "preact";
import { bytesOf, count, duration, durationOf, plural, rate, retention } from "../format";
import type { Alarm, FunctionView, MappingView, StreamView, TableView } from "../data";
import { sign } from "../dashboard/alarm";
import { history, stepSeconds } from "../live";
import { to } from "../router";
import { Icon } from "./icons";
import { State, When } from "./parts";
import { Sparkline } from "./sparkline";

// Name is the first cell of a row: what it is, and a line about it.
function Name(props: { to: string; name: string; children: ComponentChildren }) {
  return (
    <th scope="row" class="name">
      <a href={props.to}>{props.name}</a>
      <div class="under">{props.children}</div>
    </th>
  );
}

function Amount(props: { value: string; unit?: string; class?: string; tone?: "bad" }) {
  return (
    <td class={"amount " + (props.class ?? "")}>
      <span class={"num" + (props.tone ? " " + props.tone : "")}>{props.value}</span>
      {props.unit && <span class="unit">{props.unit}</span>}
    </td>
  );
}

function List(props: { label: string; head: ComponentChildren; children: ComponentChildren }) {
  return (
    <table class="list" aria-label={props.label}>
      <thead>
        <tr>{props.head}</tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  );
}

export function StreamList(props: { streams: StreamView[] }) {
  return (
    <List label="Streams" head={<><th>Name</th><th class="right">Records</th><th class="right mid">Data</th><th class="right wide">Total</th><th class="spark">Last 5 min</th></>}>
      {props.streams.map((s) => {
        const size = bytesOf(s.bytesPerSecond);
        return (
          <tr key={s.name} data-stream={s.name}>
            <Name to={to("streams", s.name)} name={s.name}>
              {plural(s.shards, "shard")} · kept {retention(s.retentionHours)}
              {s.status !== "ACTIVE" && <> · <State state={s.status} small /></>}
            </Name>
            <Amount value={rate(s.recordsPerSecond)} unit="/s" />
            <Amount value={size.value} unit={size.unit + "/s"} class="mid" />
            <Amount value={count(s.records)} class="wide" />
            <td class="spark"><Sparkline values={history("streams", s.name)} label={`Records per second of ${s.name}`} /></td>
          </tr>
        );
      })}
    </List>
  );
}

// recentErrors counts the errors of a function in the time of its sparkline.
export function recentErrors(name: string): number {
  return Math.round(history("functions", name, 1).reduce((a, b) => a + b, 0) * stepSeconds);
}

export function FunctionList(props: { functions: FunctionView[] }) {
  return (
    <List label="Functions" head={<><th>Name</th><th class="right">Invocations</th><th class="right">Errors</th><th class="right mid">p50</th><th class="right mid">p99</th><th class="right wide" title="Invocations under way">Running</th><th class="right wide">Total</th><th class="spark">Last 5 min</th></>}>
      {props.functions.map((f) => {
        const [p50, p99] = [durationOf(f.p50), durationOf(f.p99)];
        const errors = recentErrors(f.name);
        return (
          <tr key={f.name} data-function={f.name}>
            <Name to={to("functions", f.name)} name={f.name}>
              {f.runtime} · {f.memoryMB} MB
              {f.state !== "Active" && <> · <State state={f.state} small /></>}
            </Name>
            <Amount value={rate(f.invocationsPerSecond)} unit="/s" />
            <Amount value={count(errors)} tone={errors > 0 ? "bad" : undefined} />
            <Amount value={f.p50 > 0 ? p50.value : "–"} unit={f.p50 > 0 ? p50.unit : ""} class="mid" />
            <Amount value={f.p99 > 0 ? p99.value : "–"} unit={f.p99 > 0 ? p99.unit : ""} class="mid" />
            <Amount value={count(f.concurrency)} class="wide" />
            <Amount value={count(f.invocations)} class="wide" />
            <td class="spark"><Sparkline values={history("functions", f.name)} label={`Invocations per second of ${f.name}`} /></td>
          </tr>
        );
      })}
    </List>
  );
}

export function TableList(props: { tables: TableView[] }) {
  return (
    <List label="Tables" head={<><th>Name</th><th class="right">Items</th><th class="right mid">Size</th><th class="right">Writes</th><th class="right wide">Reads</th><th class="spark">Last 5 min</th></>}>
      {props.tables.map((t) => {
        const size = bytesOf(t.bytes);
        return (
          <tr key={t.name} data-table={t.name}>
            <Name to={to("tables", t.name)} name={t.name}>
              {t.hashKey.name}{t.rangeKey && <> · {t.rangeKey.name}</>}
            </Name>
            <Amount value={count(t.items)} />
            <Amount value={size.value} unit={size.unit} class="mid" />
            <Amount value={rate(t.writesPerSecond)} unit="/s" />
            <Amount value={rate(t.readsPerSecond)} unit="/s" class="wide" />
            <td class="spark"><Sparkline values={history("tables", t.name)} label={`Writes per second of ${t.name}`} /></td>
          </tr>
        );
      })}
    </List>
  );
}

const kinds: Record<string, string> = { table: "changes", queue: "messages" };

// healthy says whether a mapping's last result is a good one.
function healthy(result: string): boolean {
  return result === "" || result === "OK" || result === "No records processed";
}

// inOrder sorts mappings: those in trouble first, then by function and source.
export function inOrder(mappings: MappingView[]): MappingView[] {
  const trouble = (m: MappingView) => Number(healthy(m.lastResult));
  return [...mappings].sort((a, b) => trouble(a) - trouble(b) || a.function.localeCompare(b.function) || a.sourceName.localeCompare(b.sourceName));
}

// Flow says from where to where a mapping hands records.
export function Flow(props: { mapping: MappingView }) {
  const { mapping: m } = props;
  const page = { table: "tables", stream: "streams" }[m.sourceKind];
  return (
    <span class="flow">
      {page ? <a href={to(page, m.sourceName)}>{m.sourceName}</a> : m.sourceName}
      <Icon name="arrow" size={13} />
      <a href={to("functions", m.function)}>{m.function}</a>
    </span>
  );
}

export function MappingList(props: { mappings: MappingView[] }) {
  return (
    <List label="Event source mappings" head={<><th>From → to</th><th class="right wide">Total</th><th class="right mid">Records</th><th class="right" title="How far the slowest shard is behind">Behind</th><th>State</th></>}>
      {props.mappings.map((m) => (
        <tr key={m.uuid} data-mapping={m.uuid}>
          <th scope="row" class="name">
            <Flow mapping={m} />
            <div class="under">
              <a href={to("mappings", m.uuid)}>{kinds[m.sourceKind] ?? "records"} · batch {count(m.batchSize)}{m.windowSeconds > 0 && <> or {m.windowSeconds} s</>}
                {m.tumblingWindow > 0 && <> · windows of {m.tumblingWindow} s</>}</a>
              {!healthy(m.lastResult) && <span class="bad"> · {m.lastResult}</span>}
            </div>
          </th>
          <Amount value={count(m.records)} class="wide" />
          <Amount value={rate(m.recordsPerSecond)} unit="/s" class="mid" />
          <Behind ms={m.iteratorAgeMs} />
          <td><State state={m.state} small /></td>
        </tr>
      ))}
    </List>
  );
}

function Behind(props: { ms: number }) {
  const q = durationOf(props.ms);
  return <Amount value={q.value} unit={q.unit} tone={props.ms > 60_000 ? "bad" : undefined} />;
}

// AlarmList lists alarms, those that are on first; most bounds how many.
export function AlarmList(props: { alarms: Alarm[]; most?: number }) {
  const order = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 } as Record<string, number>;
  const sorted = [...props.alarms].sort((a, b) => (order[a.state] ?? 3) - (order[b.state] ?? 3));
  return (
    <List label="Alarms" head={<><th>Name</th><th class="right mid">Since</th><th>State</th></>}>
      {sorted.slice(0, props.most).map((a) => (
        <tr key={a.name} data-alarm={a.name}>
          <Name to={to("alarms", a.name)} name={a.name}>{condition(a)}</Name>
          <td class="right mid quiet"><When at={a.since} /></td>
          <td><State state={a.state} small /></td>
        </tr>
      ))}
    </List>
  );
}

// condition says when an alarm goes off.
export function condition(a: Alarm): string {
  const points = a.evaluationPeriods > 1 ? ` ${a.datapointsToAlarm || a.evaluationPeriods} of ${a.evaluationPeriods} times` : "";
  return `${a.statistic} of ${a.metric} ${sign(a)} ${count2(a.threshold)} in ${duration(a.periodSeconds * 1000)}${points}`;
}

function count2(v: number): string {
  return Number.isInteger(v) ? count(v) : String(v);
}
