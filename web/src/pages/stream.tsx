import { useMemo } from "preact/hooks";
import { Chart } from "../chart/chart";
import { bounds } from "../chart/range";
import { useTicks } from "../chart/userange";
import { metricRows } from "../dashboard/body";
import { useMetrics } from "../dashboard/query";
import { bytesOf, count, rate, retention } from "../format";
import { history, live } from "../live";
import { to } from "../router";
import { MappingList } from "../ui/lists";
import { Card, Command, Empty, Figure, Loading, Page, Problem } from "../ui/parts";
import { Sparkline } from "../ui/sparkline";
import { NoMappings, weir } from "./empty";
import { NotFound } from "./notfound";

export function StreamPage(props: { name: string }) {
  const { loaded, streams, mappings } = live.value;
  const stream = streams.find((s) => s.name === props.name);
  const back = { to: to("streams"), label: "Streams" };
  if (!loaded) return <Page title={props.name} back={back}><Loading /></Page>;
  if (!stream) return <NotFound what={`There is no stream ${props.name}.`} />;
  const readers = mappings.filter((m) => m.source === stream.arn);
  const data = bytesOf(stream.bytesPerSecond);
  return (
    <Page title={stream.name} back={back} under={<code class="arn">{stream.arn}</code>}>
      <div class="figures figures-4">
        <Figure label="Records in" value={rate(stream.recordsPerSecond)} unit="/s" note={`${count(stream.records)} since start`}>
          <Sparkline values={history("streams", stream.name)} label="Records per second" />
        </Figure>
        <Figure label="Data in" value={data.value} unit={data.unit + "/s"}>
          <Sparkline values={history("streams", stream.name, 1)} label="Bytes per second" />
        </Figure>
        <Figure label="Shards" value={count(stream.shards)} />
        <Figure label="Kept for" value={retention(stream.retentionHours)} />
      </div>
      <Card title="Records per minute, last hour"><Incoming name={stream.name} /></Card>
      <Card title="Read by" count={readers.length} flush>
        {readers.length > 0 ? <MappingList mappings={readers} /> : <NoMappings small />}
      </Card>
      <Card title="Use it">
        <div class="commands commands-left">
          <Command about="Put events, one JSON object per line" text={weir(`put ${stream.name} events.jsonl`)} />
          <Command about="Follow what comes in" text={weir(`tail ${stream.name}`)} />
        </div>
      </Card>
    </Page>
  );
}

function Incoming(props: { name: string }) {
  const tick = useTicks(true, live.value.metrics, 15_000);
  const { start, end } = useMemo(() => bounds({ last: 3600 }, Date.now()), [tick]);
  const rows = useMemo(() => metricRows([["AWS/Kinesis", "IncomingRecords", "StreamName", props.name, { label: "Records" }]], "Sum", 60), [props.name]);
  const { data, error, loading } = useMetrics(rows, start, end, tick);
  if (loading) return <Loading />;
  if (!data) return <Problem>{error}</Problem>;
  if (data.series.every((s) => s.times.length === 0)) return <Empty small title="No records in the last hour." />;
  return <div class="chart-box"><Chart name="Records per minute" series={data.series} start={start} end={end} legend="hidden" /></div>;
}
