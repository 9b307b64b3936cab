import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api";
import type { LogEvent, LogUpdate } from "../data";
import { clock, count, date, plural, zone, zoneName } from "../format";
import { followLog } from "../live";
import { Icon } from "../ui/icons";
import { Command, Empty, Loading, Problem, Switch } from "../ui/parts";
import { weir } from "./empty";
import { kindOf, matches, shown } from "./logline";

const mostLines = 3000; // kept in the page; older ones are let go while following
const earlier = 500; // asked for at a time

interface Log {
  events: LogEvent[];
  skipped: number;
  error?: string;
  whole: boolean; // nothing older is to be had
}

// FunctionLog shows a function's log as it is written.
export function FunctionLog(props: { name: string }) {
  const [log, setLog] = useState<Log | null>(null);
  const [follow, setFollow] = useState(true);
  const [filter, setFilter] = useState("");
  const [platform, setPlatform] = useState(true);

  useEffect(() => followLog(props.name, (u) => u.function === props.name && setLog((was) => grown(was, u))), [props.name]);

  const loadEarlier = async () => {
    const oldest = log?.events[0];
    if (!oldest) return;
    setFollow(false);
    try {
      const more = await get<LogEvent[]>(`functions/${encodeURIComponent(props.name)}/log?limit=${earlier}&before=${encodeURIComponent(oldest.id)}`);
      setLog((was) => was && { ...was, events: [...more, ...was.events], whole: more.length < earlier });
    } catch (e) {
      setLog((was) => was && { ...was, error: (e as Error).message });
    }
  };

  const lines = useMemo(
    () => (log?.events ?? []).filter((e) => (platform || kindOf(e.message) !== "platform") && matches(e.message, filter)),
    [log?.events, filter, platform],
  );
  return (
    <section class="card card-flush log-card">
      <header class="log-tools">
        <label class="search">
          <span class="sr-only">Filter lines</span>
          <Icon name="search" size={14} />
          <input class="input" type="search" placeholder="Filter lines" value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
        </label>
        <span class="quiet num log-count">{filter || !platform ? `${count(lines.length)} of ` : ""}{plural(log?.events.length ?? 0, "line")} · {zoneName()}</span>
        <Switch label="START / END" on={platform} onChange={setPlatform} title="Show the START, END and REPORT lines" />
        <Switch label="Follow" on={follow} onChange={setFollow} title="Keep the newest line in view" />
      </header>
      {log?.error && <Problem>{log.error}</Problem>}
      {!log ? <Loading lines={8} /> : <Lines log={log} lines={lines} follow={follow} onFollow={setFollow} onEarlier={loadEarlier} name={props.name} />}
    </section>
  );
}

function grown(was: Log | null, u: LogUpdate): Log {
  if (u.reset || !was) return { events: u.events, skipped: 0, error: u.error, whole: u.events.length < earlier };
  const events = [...was.events, ...(u.events ?? [])];
  const over = Math.max(0, events.length - mostLines);
  return { events: over > 0 ? events.slice(over) : events, skipped: was.skipped + (u.skipped ?? 0), error: u.error, whole: was.whole && over === 0 };
}

function Lines(props: { log: Log; lines: LogEvent[]; follow: boolean; onFollow: (on: boolean) => void; onEarlier: () => void; name: string }) {
  const { log, lines, follow } = props;
  const box = useRef<HTMLDivElement>(null);
  const placed = useRef(0); // where the page itself scrolled to, to know the reader's own scrolling
  const newest = lines.at(-1)?.id;
  const first = lines[0]?.id;
  const before = useRef({ height: 0, first });

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    if (follow) el.scrollTop = el.scrollHeight;
    // Lines that came in above must not move what is being read.
    else if (before.current.first !== first) el.scrollTop += el.scrollHeight - before.current.height;
    placed.current = el.scrollTop;
    before.current = { height: el.scrollHeight, first };
  }, [newest, first, follow, lines.length]);

  const onScroll = () => {
    const el = box.current!;
    const atEnd = el.scrollHeight - el.scrollTop - el.clientHeight < 4;
    if (follow && !atEnd && el.scrollTop < placed.current) props.onFollow(false);
    else if (!follow && atEnd) props.onFollow(true);
    placed.current = el.scrollTop;
  };

  // The page is drawn anew with every figure that changes; its lines need not be.
  const drawn = useMemo(
    () => lines.map((e, i) => <Line key={e.id} event={e} newDay={dayOf(e) !== dayOf(lines[i - 1] ?? lines[0]!)} />),
    [lines, zone.value],
  );

  if (log.events.length === 0) {
    return (
      <Empty title="This function has not run yet">
        <p>Its output appears here as it is written.</p>
        <div class="commands"><Command about="Follow it in a terminal" text={weir(`tail ${props.name}`)} /></div>
      </Empty>
    );
  }
  return (
    <div class="log" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={`Log of ${props.name}`} aria-live="off">
      {!log.whole && (
        <button type="button" class="button button-ghost log-earlier" onClick={props.onEarlier}>Show earlier lines</button>
      )}
      {log.skipped > 0 && <div class="log-note">{plural(log.skipped, "line")} came too fast to show; they are in the log.</div>}
      {lines.length === 0 && <div class="log-note">No line matches.</div>}
      {drawn}
    </div>
  );
}

const dayOf = (e: LogEvent): string => date(new Date(e.time));

function Line(props: { event: LogEvent; newDay: boolean }) {
  const { event } = props;
  const kind = kindOf(event.message);
  const at = new Date(event.time);
  return (
    <>
      {props.newDay && <div class="log-day">{dayOf(event)}</div>}
      <div class={`log-line log-${kind}`}>
        <time class="num" dateTime={event.time} title={event.stream}>{clock(at)}<span class="log-ms">{clock(at, "ms").slice(-4)}</span></time>
        <span class="log-text">{shown(event.message)}</span>
      </div>
    </>
  );
}
