import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useData } from "../api";
import { useTicks } from "../chart/userange";
import type { MappingShard, MappingView } from "../data";
import { bytes, clock, count, duration, durationOf, plural, rate, span } from "../format";
import { history, live } from "../live";
import { to } from "../router";
import { Flow } from "../ui/lists";
import { Card, Empty, Figure, Loading, Page, Problem, State, When } from "../ui/parts";
import { Sparkline } from "../ui/sparkline";
import { NotFound } from "./notfound";

const lookAgain = 1000; // milliseconds between two looks at the shards

export function MappingPage(props: { uuid: string }) {
  const { loaded, mappings } = live.value;
  const mapping = mappings.find((m) => m.uuid === props.uuid);
  if (!loaded) return <Page title={props.uuid} back={back}><Loading /></Page>;
  if (!mapping) return <NotFound what={`There is no event source mapping ${props.uuid}.`} />;
  return <Detail mapping={mapping} />;
}

const back = { to: to("mappings"), label: "Event source mappings" };

function Detail(props: { mapping: MappingView }) {
  const { mapping } = props;
  const tick = useTicks(true, 0, lookAgain);
  const { data, error, loading } = useData<MappingShard[]>(`mappings/${encodeURIComponent(mapping.uuid)}/shards`, tick);
  return (
    <Page title={<Flow mapping={mapping} />} back={back} under={<span class="uuid">{mapping.uuid}</span>}
      actions={<span class="status-line"><State state={mapping.state} /><span class="quiet">changed <When at={mapping.modified} /></span></span>}>
      <Figures mapping={mapping} shards={data ?? []} />
      <Card title="Shards" count={data?.length} flush>
        {loading ? <Loading /> : !data ? <Problem>{error}</Problem> : data.length === 0 ? <Empty small title="No shard is being read." /> : <Shards mapping={mapping} shards={data} />}
      </Card>
      <div class="grid-2 grid-top">
        <Settings mapping={mapping} />
        <Filters patterns={mapping.filters ?? []} />
      </div>
    </Page>
  );
}

const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);

function Figures(props: { mapping: MappingView; shards: MappingShard[] }) {
  const { mapping: m, shards } = props;
  const behind = durationOf(m.iteratorAgeMs);
  const invocations = sum(shards.map((s) => s.invocations));
  const average = durationOf(invocations > 0 ? sum(shards.map((s) => s.averageMs * s.invocations)) / invocations : 0);
  const retries = sum(shards.map((s) => s.retries));
  const conflicts = sum(shards.map((s) => s.conflicts));
  const [discarded, lost] = [sum(shards.map((s) => s.discarded)), sum(shards.map((s) => s.lost))];
  return (
    <div class="figures">
      <Figure label="Records" value={rate(m.recordsPerSecond)} unit="/s" note={`${count(m.records)} since start`}>
        <Sparkline values={history("mappings", m.uuid)} label="Records per second" />
      </Figure>
      <Figure label="Behind" value={behind.value} unit={behind.unit} note="slowest shard" tone={m.iteratorAgeMs > 60_000 ? "bad" : undefined}>
        <Sparkline values={history("mappings", m.uuid, 1)} label="Iterator age" />
      </Figure>
      <Figure label="Invocation" value={invocations > 0 ? average.value : "–"} unit={invocations > 0 ? average.unit : ""}
        note={invocations > 0 ? plural(Math.round(sum(shards.map((s) => s.records)) / invocations), "record") : undefined} />
      <Figure label="Retries" value={count(retries)} note={conflicts > 0 ? plural(conflicts, "conflict") : undefined} />
      <Figure label="Given up" value={count(discarded + lost)} tone={discarded + lost > 0 ? "bad" : undefined}
        note={lost > 0 ? `${count(lost)} left the source first` : m.onFailure ? "reported" : discarded > 0 ? "not reported" : undefined} />
    </div>
  );
}

const most = 50; // rows before those that need no attention are left out

function Shards(props: { mapping: MappingView; shards: MappingShard[] }) {
  const [all, setAll] = useState(false);
  const inLanes = props.mapping.factor > 1;
  const inWindows = props.mapping.tumblingWindow > 0;
  let rows = props.shards;
  if (rows.length > most && !all) {
    rows = [...rows].sort((a, b) => Number(b.problem !== undefined) - Number(a.problem !== undefined) || b.behindMs - a.behindMs).slice(0, most);
  }
  return (
    <>
      <table class="list" aria-label="Shards">
        <thead>
          <tr>
            <th>Shard</th><th>Does</th>
            <th class="right mid" title="Records of the last invocation">Batch</th><th class="right mid" title="Duration of the last invocation">Took</th>
            <th class="right wide">Invocations</th><th class="right mid">Retries</th>
            {inWindows && <th class="right mid">Window</th>}
            <th class="right" title="Age of the oldest record that is not processed">Behind</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((s) => <Shard key={s.shard + s.lane} shard={s} inLanes={inLanes} inWindows={inWindows} />)}
        </tbody>
      </table>
      {rows.length < props.shards.length && (
        <div class="list-more">
          <button type="button" class="button button-ghost" onClick={() => setAll(true)}>Show all {count(props.shards.length)}</button>
        </div>
      )}
    </>
  );
}

const activities: Record<string, string> = {
  waiting: "Waiting for records", gathering: "Gathering a batch", invoking: "Invoking", retrying: "Pausing after a failure",
  throttled: "Throttled", done: "Done", stopped: "Stopped",
};

function Shard(props: { shard: MappingShard; inLanes: boolean; inWindows: boolean }) {
  const { shard: s } = props;
  const [behind, took] = [durationOf(s.behindMs), durationOf(s.lastMs)];
  const ran = s.invocations > 0;
  return (
    <>
      <tr data-shard={s.shard} data-lane={s.lane}>
        <th scope="row" class="name">
          {s.shard}{props.inLanes && <span class="quiet"> lane {s.lane}</span>}
          {ran && <div class="under narrow-only">{plural(s.lastBatch, "record")} in {duration(s.lastMs)}{s.retries > 0 && <> · {count(s.retries)} retries</>}</div>}
          {s.window && <div class="under narrow-only"><Window shard={s} /></div>}
        </th>
        <td class="activity"><State state={s.activity} label={activities[s.activity] ?? s.activity} small /></td>
        <Cell value={ran ? count(s.lastBatch) : "–"} class="mid" />
        <Cell value={ran ? took.value : "–"} unit={ran ? took.unit : ""} class="mid" />
        <Cell value={count(s.invocations)} class="wide" />
        <Cell value={count(s.retries)} class="mid" />
        {props.inWindows && <td class="right mid window">{s.window ? <Window shard={s} /> : "–"}</td>}
        <Cell value={s.behindMs > 0 ? behind.value : "–"} unit={s.behindMs > 0 ? behind.unit : ""} bad={s.behindMs > 60_000} />
      </tr>
      {(s.problem || s.discarded + s.lost > 0) && (
        <tr class="row-more">
          <td colSpan={8}>
            {s.problem && <div class="bad" title={s.problem}>{s.attempts > 1 && <>{count(s.attempts)} times: </>}{short(s.problem)}</div>}
            {s.discarded > 0 && <div>{plural(s.discarded, "record")} given up</div>}
            {s.lost > 0 && <div>{plural(s.lost, "record")} left the source before they were processed</div>}
          </td>
        </tr>
      )}
    </>
  );
}

function Window(props: { shard: MappingShard }) {
  const w = props.shard.window!;
  return (
    <span class="num">{clock(new Date(w.start))}–{clock(new Date(w.end))}<span class="quiet"> · {bytes(w.stateBytes)} of state</span></span>
  );
}

function Cell(props: { value: string; unit?: string; class?: string; bad?: boolean }) {
  return (
    <td class={"amount " + (props.class ?? "")}>
      <span class={"num" + (props.bad ? " bad" : "")}>{props.value}</span>
      {props.unit && <span class="unit">{props.unit}</span>}
    </td>
  );
}

// short is a problem in one or two lines; its title has all of it.
function short(problem: string): string {
  return problem.length > 180 ? problem.slice(0, 180) + "…" : problem;
}

const positions: Record<string, string> = { TRIM_HORIZON: "the oldest record", LATEST: "what came after it was made", AT_TIMESTAMP: "a point in time" };

function Settings(props: { mapping: MappingView }) {
  const { mapping: m } = props;
  const ofStreams: [string, ComponentChildren][] = m.sourceKind === "queue" ? [] : [
    ["At a time", m.factor > 1 ? `${m.factor} batches of a shard` : "one batch of a shard"],
    ["Tumbling window", m.tumblingWindow > 0 ? span(m.tumblingWindow) : "none"],
    ["Retries", m.retryLimit >= 0 ? `at most ${count(m.retryLimit)}` : "until it succeeds"],
    ["Record age", m.recordAge > 0 ? `at most ${span(m.recordAge)}` : "as the source keeps it"],
    ["On an error", m.bisect ? "the batch is cut in two" : "the batch is sent again"],
    ["Failures go to", m.onFailure ? <span title={m.onFailure}>{m.onFailure.split(":").at(-1)}</span> : "nobody"],
    ["Begins with", positions[m.startingPosition] ?? m.startingPosition],
  ];
  const facts: [string, ComponentChildren][] = [
    ["Batch", <>up to {count(m.batchSize)} records{m.windowSeconds > 0 && <>, or what came in {m.windowSeconds} s</>}</>],
    ["Partial batches", m.reportFailures ? "the function reports what failed" : "no"],
    ...ofStreams,
    ["Last result", m.lastResult],
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
      </dl>
    </Card>
  );
}

function Filters(props: { patterns: string[] }) {
  return (
    <Card title="Filters" count={props.patterns.length}>
      {props.patterns.length === 0 ? <Empty small title="Every record goes to the function." /> : (
        <div class="filters">
          {props.patterns.map((p, i) => <pre key={i} class="json" tabIndex={0}>{p}</pre>)}
        </div>
      )}
    </Card>
  );
}
