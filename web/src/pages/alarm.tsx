import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { useData } from "../api";
import { Chart } from "../chart/chart";
import { bounds, type Range } from "../chart/range";
import { RangePicker } from "../chart/rangepicker";
import { useRange, useTicks } from "../chart/userange";
import { alarmLevel, alarmRow } from "../dashboard/alarm";
import { useMetrics } from "../dashboard/query";
import type { Alarm, AlarmEvent } from "../data";
import { live } from "../live";
import { to } from "../router";
import { condition } from "../ui/lists";
import { Card, Empty, Exact, Loading, Page, Problem, State, When } from "../ui/parts";
import { NotFound } from "./notfound";

export function AlarmPage(props: { name: string }) {
  const { loaded, alarms } = live.value;
  const alarm = alarms.find((a) => a.name === props.name);
  const back = { to: to("alarms"), label: "Alarms" };
  if (!loaded) return <Page title={props.name} back={back}><Loading /></Page>;
  if (!alarm) return <NotFound what={`There is no alarm ${props.name}.`} />;
  return (
    <Page title={alarm.name} back={back} under={alarm.description || condition(alarm)}>
      <div class={`alarm-state alarm-state-${alarm.state}`}>
        <State state={alarm.state} />
        <span class="quiet">since <When at={alarm.since} /></span>
        <p>{alarm.reason}</p>
      </div>
      <AlarmChart key={alarm.name} alarm={alarm} />
      <div class="grid-2 grid-top">
        <History alarm={alarm} />
        <Settings alarm={alarm} />
      </div>
    </Page>
  );
}

function AlarmChart(props: { alarm: Alarm }) {
  const { alarm } = props;
  const usual: Range = useMemo(() => ({ last: Math.min(Math.max(alarm.periodSeconds * 60, 3 * 3600), 14 * 86400) }), [alarm.periodSeconds]);
  const [range, setRange] = useRange(usual);
  const [follow, setFollow] = useState(true);
  const tick = useTicks(follow && "last" in range, live.value.metrics, 15_000);
  const { start, end } = useMemo(() => bounds(range, Date.now()), [JSON.stringify(range), tick]);
  const settings = JSON.stringify([alarm.namespace, alarm.metric, alarm.dimensions, alarm.statistic, alarm.periodSeconds, alarm.threshold, alarm.comparison]);
  const rows = useMemo(() => [alarmRow(alarm, 0)], [settings]);
  const levels = useMemo(() => [{ ...alarmLevel(alarm), label: `Threshold ${alarm.threshold}` }], [settings]);
  const { data, error, loading } = useMetrics(rows, start, end, tick);
  return (
    <Card title={`${alarm.metric}`} actions={<RangePicker range={range} usual={usual} live={follow} onRange={setRange} onLive={setFollow} />}>
      {loading ? <Loading /> : !data ? <Problem>{error}</Problem> : (
        <div class="chart-box">
          <Chart name={alarm.metric} series={data.series} start={start} end={end} levels={levels} legend="hidden" onZoom={(from, until) => setRange({ from, until })} />
        </div>
      )}
    </Card>
  );
}

const all = ["StateUpdate", "Action", "ConfigurationUpdate"];
const kindLabels: Record<string, string> = { StateUpdate: "State", Action: "Action", ConfigurationUpdate: "Settings" };

function History(props: { alarm: Alarm }) {
  const { alarm } = props;
  const { data, error, loading } = useData<AlarmEvent[]>(`alarms/${encodeURIComponent(alarm.name)}/history`, alarm.since + alarm.reason + alarm.actionsEnabled);
  return (
    <Card title="History" count={data?.length}>
      {loading ? <Loading /> : !data ? <Problem>{error}</Problem> : data.length === 0 ? <Empty small title="Nothing has happened yet." /> : (
        <ol class="events">
          {data.map((e, i) => (
            <li key={e.time + i} class={`event event-${all.includes(e.kind) ? e.kind : "Other"}`}>
              <div class="event-head">
                <span class="event-kind">{kindLabels[e.kind] ?? e.kind}</span>
                <Exact at={e.time} />
              </div>
              <div class="event-text">{e.summary}</div>
              {e.data && (
                <details>
                  <summary>Details</summary>
                  <pre class="json" tabIndex={0}>{pretty(e.data)}</pre>
                </details>
              )}
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

const missing: Record<string, string> = { missing: "no data", ignore: "keep the state", breaching: "breaching", notBreaching: "within the threshold" };

function Settings(props: { alarm: Alarm }) {
  const { alarm } = props;
  const facts: [string, ComponentChildren][] = [
    ["Condition", condition(alarm)],
    ["Namespace", alarm.namespace],
    ["Missing data", `counts as ${missing[alarm.treatMissing || "missing"] ?? alarm.treatMissing}`],
    ["Actions", alarm.actionsEnabled ? "on" : "off"],
    ...(alarm.dimensions ?? []).map((d): [string, ComponentChildren] => [d.name, d.value]),
  ];
  return (
    <Card title="Settings">
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <Actions title="On alarm" arns={alarm.alarmActions} />
        <Actions title="On OK" arns={alarm.okActions} />
        <Actions title="On no data" arns={alarm.noDataActions} />
      </dl>
    </Card>
  );
}

// Actions names whom an alarm notifies: the subscriptions of its topics.
function Actions(props: { title: string; arns?: string[] }) {
  if (!props.arns?.length) return null;
  return (
    <div>
      <dt>{props.title}</dt>
      <dd>
        {props.arns.map((arn) => {
          const topic = live.value.topics.find((t) => t.arn === arn);
          return (
            <div key={arn} class="action">
              <span title={arn}>{arn.split(":").at(-1)}</span>
              {topic?.subscriptions?.map((s) => (
                <div key={s.protocol + s.endpoint} class="under">
                  {s.protocol}: {s.endpoint}
                  {!s.confirmed && <span class="warn"> – not confirmed</span>}
                </div>
              ))}
            </div>
          );
        })}
      </dd>
    </div>
  );
}
