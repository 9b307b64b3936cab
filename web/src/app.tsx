import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { base } from "./api";
import { bytes, now, span } from "./format";
import { connection, live } from "./live";
import { place, to } from "./router";
import { AlarmPage } from "./pages/alarm";
import { AlarmsPage } from "./pages/alarms";
import { DashboardPage } from "./pages/dashboard";
import { DashboardsPage } from "./pages/dashboards";
import { FunctionPage } from "./pages/function";
import { FunctionsPage } from "./pages/functions";
import { MailPage } from "./pages/mail";
import { MappingPage } from "./pages/mapping";
import { MappingsPage } from "./pages/mappings";
import { NotFound } from "./pages/notfound";
import { OverviewPage } from "./pages/overview";
import { StackPage } from "./pages/stack";
import { StacksPage } from "./pages/stacks";
import { StreamPage } from "./pages/stream";
import { StreamsPage } from "./pages/streams";
import { TablePage } from "./pages/table";
import { TablesPage } from "./pages/tables";
import { chooseTheme, theme } from "./theme";
import { Icon, Mark, type IconName } from "./ui/icons";
import { Choice } from "./ui/parts";

const sections: { path: string; title: string; icon: IconName; list: () => ComponentChildren; one?: (name: string) => ComponentChildren }[] = [
  { path: "", title: "Overview", icon: "overview", list: () => <OverviewPage /> },
  { path: "dashboards", title: "Dashboards", icon: "dashboards", list: () => <DashboardsPage />, one: (n) => <DashboardPage key={n} name={n} /> },
  { path: "streams", title: "Streams", icon: "streams", list: () => <StreamsPage />, one: (n) => <StreamPage key={n} name={n} /> },
  { path: "functions", title: "Functions", icon: "functions", list: () => <FunctionsPage />, one: (n) => <FunctionPage key={n} name={n} /> },
  { path: "mappings", title: "Mappings", icon: "mappings", list: () => <MappingsPage />, one: (n) => <MappingPage key={n} uuid={n} /> },
  { path: "tables", title: "Tables", icon: "tables", list: () => <TablesPage />, one: (n) => <TablePage key={n} name={n} /> },
  { path: "alarms", title: "Alarms", icon: "alarms", list: () => <AlarmsPage />, one: (n) => <AlarmPage key={n} name={n} /> },
  { path: "mail", title: "Mail", icon: "mail", list: () => <MailPage id="" />, one: (n) => <MailPage id={n} /> },
  { path: "stacks", title: "Stacks", icon: "stacks", list: () => <StacksPage />, one: (n) => <StackPage key={n} name={n} /> },
];

export function App() {
  const { path } = place.value;
  const [open, setOpen] = useState(false);
  const content = useRef<HTMLElement>(null);
  const address = path.join("/");
  const section = sections.find((s) => s.path === (path[0] ?? ""));
  useTitle(section?.title, path[1]);

  // Another page: the menu closes, and readers of the screen are told.
  const first = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (!first.current) content.current?.querySelector("h1")?.focus({ preventScroll: true });
    first.current = false;
  }, [address]);

  return (
    <div class={"shell" + (open ? " shell-open" : "")}>
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); content.current?.focus(); }}>Skip to content</a>
      <header class="topbar">
        <button type="button" class="button button-ghost button-square" aria-label="Menu" aria-expanded={open} aria-controls="sidebar" onClick={() => setOpen(!open)}>
          <Icon name={open ? "close" : "menu"} />
        </button>
        <a class="brand" href={base}>
          <Mark />
          Weir
        </a>
        <ConnectionMark />
      </header>
      <Sidebar section={section?.path} onEscape={() => setOpen(false)} />
      <div class="backdrop" onClick={() => setOpen(false)} />
      <main id="content" ref={content} tabIndex={-1}>
        <Lost />
        {show(section, path)}
      </main>
    </div>
  );
}

function show(section: (typeof sections)[number] | undefined, path: string[]): ComponentChildren {
  if (!section || path.length > 2) return <NotFound />;
  if (path.length < 2) return section.list();
  return section.one ? section.one(path[1]!) : <NotFound />;
}

function useTitle(section = "Not found", name?: string): void {
  const inAlarm = live.value.alarms.filter((a) => a.state === "ALARM").length;
  const title = `${inAlarm > 0 ? `(${inAlarm}) ` : ""}${name ? name + " · " : ""}${section} · Weir`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function Sidebar(props: { section?: string; onEscape: () => void }) {
  const state = live.value;
  const inAlarm = state.alarms.filter((a) => a.state === "ALARM").length;
  const counts: Record<string, number> = {
    dashboards: state.dashboards.length, streams: state.streams.length, functions: state.functions.length, mappings: state.mappings.length, tables: state.tables.length,
    alarms: state.alarms.length, mail: state.mail?.total ?? 0, stacks: state.stacks.length,
  };
  return (
    <div class="sidebar" id="sidebar" onKeyDown={(e) => e.key === "Escape" && props.onEscape()}>
      <a class="brand brand-wide" href={base}>
        <Mark />
        Weir
      </a>
      <nav aria-label="Sections">
        {sections.map((s) => (
          <a key={s.path} href={s.path ? to(s.path) : base} class="nav" aria-current={props.section === s.path ? "page" : undefined}>
            <Icon name={s.icon} />
            <span class="nav-title">{s.title}</span>
            {s.path === "alarms" && inAlarm > 0 ? (
              <span class="nav-alert" title={`${inAlarm} in alarm`}>{inAlarm}</span>
            ) : (
              counts[s.path] !== undefined && counts[s.path]! > 0 && <span class="nav-count num">{counts[s.path]}</span>
            )}
          </a>
        ))}
      </nav>
      <div class="sidebar-foot">
        <ServerFacts />
        <Choice label="Theme" value={theme.value} onChange={chooseTheme}
          options={[
            { value: "auto", label: <Icon name="auto" size={14} />, title: "As the system" },
            { value: "light", label: <Icon name="sun" size={14} />, title: "Light" },
            { value: "dark", label: <Icon name="moon" size={14} />, title: "Dark" },
          ]} />
      </div>
    </div>
  );
}

function ServerFacts() {
  const server = live.value.server;
  if (!server) return <ConnectionMark />;
  const up = (now.value.getTime() - Date.parse(server.started)) / 1000;
  return (
    <div class="server">
      <ConnectionMark />
      <dl>
        <dt>Version</dt>
        <dd>{server.version}</dd>
        <dt>Up</dt>
        <dd class="num">{span(up)}</dd>
        <dt title={server.dataDir}>Data</dt>
        <dd class="num" title={server.dataDir}>{bytes(server.dataBytes)}</dd>
      </dl>
    </div>
  );
}

const connectionLabels = { connecting: "Connecting", open: "Live", lost: "Reconnecting" };

function ConnectionMark() {
  return (
    <span class={`connection connection-${connection.value}`} role="status">
      <span class="connection-dot" />
      {connectionLabels[connection.value]}
    </span>
  );
}

// Lost says that figures are old, once it is clear that they will stay so for a
// while.
function Lost() {
  const lost = connection.value === "lost";
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!lost) return setLate(false);
    const timer = setTimeout(() => setLate(true), 3000);
    return () => clearTimeout(timer);
  }, [lost]);
  if (!late) return null;
  return (
    <div class="notice" role="alert">
      <Icon name="warning" />
      The server cannot be reached. What you see is as of then; the page goes on by itself.
    </div>
  );
}
