import { count, durationOf, rate } from "../format";
import { history, live } from "../live";
import { to } from "../router";
import { recentErrors } from "../ui/lists";
import { Exact, Figure, Loading, Page, State } from "../ui/parts";
import { Sparkline } from "../ui/sparkline";
import { FunctionLog } from "./log";
import { NotFound } from "./notfound";

export function FunctionPage(props: { name: string }) {
  const { loaded, functions, mappings } = live.value;
  const fn = functions.find((f) => f.name === props.name);
  const back = { to: to("functions"), label: "Functions" };
  if (!loaded) return <Page title={props.name} back={back}><Loading /></Page>;
  if (!fn) return <NotFound what={`There is no function ${props.name}.`} />;
  const sources = mappings.filter((m) => m.function === fn.name);
  const errors = recentErrors(fn.name);
  const [p50, p99] = [durationOf(fn.p50), durationOf(fn.p99)];
  return (
    <Page title={fn.name} back={back} wide
      under={
        <>
          {fn.runtime} · {fn.memoryMB} MB · timeout {fn.timeoutSeconds} s
          {sources.map((m) => (
            <span key={m.uuid}> · reads <a href={to("mappings", m.uuid)}>{m.sourceName}</a></span>
          ))}
          {fn.state !== "Active" && <> · <State state={fn.state} small /></>}
        </>
      }>
      <div class="figures">
        <Figure label="Invocations" value={rate(fn.invocationsPerSecond)} unit="/s" note={`${count(fn.invocations)} since start`}>
          <Sparkline values={history("functions", fn.name)} label="Invocations per second" />
        </Figure>
        <Figure label="Errors" value={count(errors)} note="in 5 min" tone={errors > 0 ? "bad" : undefined}>
          <Sparkline values={history("functions", fn.name, 1)} label="Errors per second" tone="bad" />
        </Figure>
        <Figure label="Duration p50" value={fn.p50 > 0 ? p50.value : "–"} unit={fn.p50 > 0 ? p50.unit : ""} />
        <Figure label="Duration p99" value={fn.p99 > 0 ? p99.value : "–"} unit={fn.p99 > 0 ? p99.unit : ""} />
        <Figure label="Running" value={count(fn.concurrency)} note={fn.throttles > 0 ? `${count(fn.throttles)} throttled` : undefined} />
      </div>
      {fn.lastError && (
        <details class="last-error">
          <summary>
            <span class="bad">Last error</span> <Exact at={fn.lastError.time} /> <span class="last-error-text">{fn.lastError.message}</span>
          </summary>
          <pre tabIndex={0}>{fn.lastError.message}{"\n"}RequestId: {fn.lastError.requestId}</pre>
        </details>
      )}
      <FunctionLog key={fn.name} name={fn.name} />
    </Page>
  );
}
