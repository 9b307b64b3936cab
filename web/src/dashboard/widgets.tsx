import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Chart, type Level } from "../chart/chart";
import { isColor, seriesColor } from "../chart/palette";
import type { Alarm } from "../data";
import { live } from "../live";
import { to } from "../router";
import { dark } from "../theme";
import { Empty, Loading, Problem, State, When } from "../ui/parts";
import { alarmLevel, alarmRow } from "./alarm";
import type { MetricRow, MetricWidget, Widget } from "./body";
import { Markdown } from "./markdown";
import { useMetrics, type MetricData } from "./query";
import { Bars, Gauge, SingleValues, ValueTable } from "./values";

// Time is what a dashboard's widgets show.
export interface Time {
  start: number;
  end: number;
  tick: number; // grows when data is to be asked for again
  onZoom: (start: number, end: number) => void;
}

// WidgetBox is one widget of a dashboard.
export function WidgetBox(props: { widget: Widget; time: Time }) {
  const { widget } = props;
  const at = {
    "--x": widget.x + 1, "--y": widget.y + 1, "--w": widget.width, "--h": widget.height,
  } as Record<string, number>;
  switch (widget.type) {
    case "text":
      return (
        <section class={"widget widget-text" + (widget.transparent ? " widget-bare" : "")} style={at}>
          <Markdown text={widget.markdown} />
        </section>
      );
    case "alarm":
      return (
        <Frame title={widget.title} at={at} kind="alarm">
          <AlarmTiles arns={widget.alarms} states={widget.states} />
        </Frame>
      );
    case "metric":
      return (
        <Frame title={widget.title || titleOf(widget)} at={at} kind={widget.view}>
          <Metric widget={widget} time={props.time} />
        </Frame>
      );
    case "other":
      return (
        <Frame title={widget.title || "Widget"} at={at} kind="other">
          <Empty small title={widget.reason} />
        </Frame>
      );
  }
}

function Frame(props: { title: string; at: Record<string, number>; kind: string; children: ComponentChildren }) {
  return (
    <section class={`widget widget-${props.kind}`} style={props.at} data-widget={props.title}>
      <h2 class="widget-title">{props.title}</h2>
      <div class="widget-body">{props.children}</div>
    </section>
  );
}

function titleOf(w: MetricWidget): string {
  return w.rows[0]?.metric || "Metric";
}

function Metric(props: { widget: MetricWidget; time: Time }) {
  const { widget, time } = props;
  const alarms = live.value.alarms.filter((a) => widget.alarms.includes(a.arn));
  const alarmKey = JSON.stringify(alarms.map((a) => [a.arn, a.threshold, a.metric, a.periodSeconds]));
  const rows = useMemo((): MetricRow[] => (widget.rows.length > 0 ? widget.rows : alarms.map(alarmRow)), [widget, alarmKey]);
  const levels = useMemo((): Level[] => [...widget.levels, ...alarms.map(alarmLevel)], [widget, alarmKey]);
  const { data, error, loading } = useMetrics(rows, time.start, time.end, time.tick);
  if (loading) return <Loading lines={2} />;
  if (!data) return <Problem>{error}</Problem>;
  if (data.series.length === 0 && data.problems.length > 0) return <Problem>{data.problems.join(" ")}</Problem>;
  return (
    <>
      <View widget={widget} data={data} levels={levels} time={time} />
      {(error || data.problems.length > 0) && <p class="widget-note">{error ?? data.problems.join(" ")}</p>}
    </>
  );
}

function View(props: { widget: MetricWidget; data: MetricData; levels: Level[]; time: Time }) {
  const { widget, data, time } = props;
  const colored = data.series.map((s, i) => ({ ...s, color: isColor(s.color) ? s.color : seriesColor(i, dark.value) }));
  switch (widget.view) {
    case "singleValue":
      return <SingleValues series={colored} wholeRange={widget.wholeRange} sparkline={widget.sparkline} start={time.start} end={time.end} />;
    case "bar":
    case "pie":
      return <Bars series={colored} share={widget.view === "pie"} />;
    case "gauge":
      return <Gauge series={colored} limits={widget.left} />;
    case "table":
      return <ValueTable series={colored} />;
    case "timeSeries":
      return (
        <Chart name={widget.title || titleOf(widget)} series={data.series} start={time.start} end={time.end} stacked={widget.stacked} levels={props.levels}
          moments={widget.moments} left={widget.left} right={widget.right} legend={widget.legend} onZoom={time.onZoom} />
      );
  }
}

// AlarmTiles shows the state of alarms at a glance.
function AlarmTiles(props: { arns: string[]; states: string[] }) {
  const alarms = live.value.alarms;
  const found = props.arns.map((arn) => alarms.find((a) => a.arn === arn)).filter((a): a is Alarm => a !== undefined);
  const shown = props.states.length > 0 ? found.filter((a) => props.states.includes(a.state)) : found;
  if (shown.length === 0) return <Empty small title={found.length === 0 ? "These alarms do not exist." : "No alarm is in such a state."} />;
  return (
    <ul class="alarm-tiles">
      {shown.map((a) => (
        <li key={a.arn}>
          <a href={to("alarms", a.name)} class={`alarm-tile alarm-tile-${a.state}`}>
            <span class="alarm-tile-name">{a.name}</span>
            <span class="alarm-tile-state">
              <State state={a.state} small />
              <span class="quiet"><When at={a.since} /></span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}
