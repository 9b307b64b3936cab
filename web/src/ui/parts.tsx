// The small parts that pages are made of.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ago, dateTime, zoneName } from "../format";
import { Icon, type IconName } from "./icons";

// Page is the frame of a page: title, what stands beside it, content.
export function Page(props: {
  title: ComponentChildren;
  under?: ComponentChildren; // a line below the title
  back?: { to: string; label: string };
  actions?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div class={"page" + (props.wide ? " page-wide" : "")}>
      <header class="page-head">
        <div class="page-title">
          {props.back && (
            <a class="back" href={props.back.to}>
              <Icon name="back" size={12} />
              {props.back.label}
            </a>
          )}
          <h1 tabIndex={-1}>{props.title}</h1>
          {props.under && <div class="under">{props.under}</div>}
        </div>
        {props.actions && <div class="page-actions">{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

// Card is a titled box.
export function Card(props: { title?: ComponentChildren; count?: number; actions?: ComponentChildren; class?: string; flush?: boolean; children: ComponentChildren }) {
  return (
    <section class={"card " + (props.flush ? "card-flush " : "") + (props.class ?? "")}>
      {props.title !== undefined && (
        <header class="card-head">
          <h2>
            {props.title}
            {props.count !== undefined && <span class="count">{props.count}</span>}
          </h2>
          {props.actions}
        </header>
      )}
      {props.children}
    </section>
  );
}

// Figure is one number that matters, with what it is.
export function Figure(props: { label: ComponentChildren; value: string; unit?: string; note?: ComponentChildren; tone?: "bad" | "quiet"; children?: ComponentChildren }) {
  return (
    <div class={"figure" + (props.tone ? " figure-" + props.tone : "")}>
      <div class="figure-label">{props.label}</div>
      <div class="figure-value">
        <span class="num">{props.value}</span>
        {props.unit && <span class="figure-unit">{props.unit}</span>}
      </div>
      {props.note && <div class="figure-note">{props.note}</div>}
      {props.children}
    </div>
  );
}

type Tone = "ok" | "bad" | "warn" | "quiet" | "busy";

// tones are by the words of AWS for the states of things; a word that is not
// here and does not tell by its ending is shown without a judgement.
const tones: Record<string, Tone> = {
  OK: "ok", ALARM: "bad", INSUFFICIENT_DATA: "quiet",
  ACTIVE: "ok", Active: "ok", Enabled: "ok", Disabled: "quiet", waiting: "ok", retrying: "bad", throttled: "warn", Inactive: "quiet", Failed: "bad",
};

function toneOf(state: string): Tone {
  const known = tones[state];
  if (known) return known;
  if (/FAILED|ROLLBACK/.test(state)) return "bad";
  if (/COMPLETE$/.test(state)) return "ok";
  if (/(ING|ing|IN_PROGRESS|Pending)$/.test(state)) return "busy";
  return "quiet";
}

const toneIcons: Record<Tone, IconName> = { ok: "ok", bad: "warning", warn: "warning", quiet: "unknown", busy: "unknown" };

// State shows the state of something: by shape and word, not by colour alone.
export function State(props: { state: string; label?: string; small?: boolean }) {
  const tone = toneOf(props.state);
  return (
    <span class={`state state-${tone}` + (props.small ? " state-small" : "")} title={props.state}>
      <Icon name={toneIcons[tone]} size={props.small ? 12 : 14} />
      {props.label ?? stateLabel(props.state)}
    </span>
  );
}

export function stateLabel(state: string): string {
  if (state === "OK") return "OK";
  if (state === "ALARM") return "In alarm";
  if (state === "INSUFFICIENT_DATA") return "No data";
  const words = state.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// When shows a time as what a reader wants, how long ago, and tells the exact
// one on demand.
export function When(props: { at?: string }) {
  if (!props.at) return <span class="quiet">–</span>;
  const d = new Date(props.at);
  return (
    <time dateTime={props.at} title={`${dateTime(d)} ${zoneName()}`}>
      {ago(d)}
    </time>
  );
}

// Exact shows a time in full, with the time zone unless the milliseconds matter
// more: then whoever shows many names it once.
export function Exact(props: { at: string; precision?: "second" | "ms" }) {
  const d = new Date(props.at);
  return (
    <time class="num" dateTime={props.at} title={zoneName()}>
      {dateTime(d, props.precision)}{props.precision !== "ms" && " " + zoneName()}
    </time>
  );
}

export function Copy(props: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (!(await toClipboard(props.text))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 1600);
  };
  return (
    <button type="button" class="button button-ghost copy" onClick={copy} aria-label={`Copy ${props.label ?? props.text}`}>
      <Icon name={copied ? "check" : "copy"} size={14} />
      <span aria-live="polite">{copied ? "Copied" : "Copy"}</span>
    </button>
  );
}

async function toClipboard(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused; the old way may still work.
    }
  }
  // Browsers offer the clipboard only to encrypted pages and those of the machine itself.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// Command is a command line to copy; a long one is put on several lines, of which the
// first has what it is about.
export function Command(props: { text: string; about?: string }) {
  const text = props.text.split("\n").some((line) => line.length > 80) ? props.text.replaceAll(/ --(?!endpoint)/g, " \\\n  --") : props.text;
  return (
    <div class="command">
      {props.about && <div class="command-about">{props.about}</div>}
      <div class="command-line">
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
        <Copy text={text} label="command" />
      </div>
    </div>
  );
}

// Empty says that there is nothing yet, and what to do about it.
export function Empty(props: { title: string; children?: ComponentChildren; small?: boolean }) {
  return (
    <div class={"empty" + (props.small ? " empty-small" : "")}>
      <p class="empty-title">{props.title}</p>
      {props.children}
    </div>
  );
}

// Problem shows what went wrong.
export function Problem(props: { children: ComponentChildren }) {
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div>{props.children}</div>
    </div>
  );
}

// Loading holds the place of something; it shows only when that takes long.
export function Loading(props: { lines?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: props.lines ?? 4 }, (_, i) => (
        <div key={i} class={`loading-line loading-line-${i % 3}`} />
      ))}
    </div>
  );
}

// Choice is a set of alternatives of which one holds.
export function Choice<T extends string>(props: { label: string; value: T; options: { value: T; label: ComponentChildren; title?: string }[]; onChange: (v: T) => void }) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map((o) => (
        <button key={o.value} type="button" aria-pressed={o.value === props.value} title={o.title} aria-label={o.title} onClick={() => props.onChange(o.value)}>
          {o.label}
        </button>
      ))}
    </div>
  );
}

export function Switch(props: { label: string; on: boolean; onChange: (on: boolean) => void; title?: string }) {
  return (
    <button type="button" role="switch" aria-checked={props.on} class="switch" title={props.title} onClick={() => props.onChange(!props.on)}>
      <span class="switch-knob" />
      {props.label}
    </button>
  );
}
