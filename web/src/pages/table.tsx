import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useData } from "../api";
import type { ItemPage, TableView } from "../data";
import { bytesOf, count, rate } from "../format";
import { history, live } from "../live";
import { to } from "../router";
import { Icon } from "../ui/icons";
import { Card, Command, Empty, Figure, Loading, Page, Problem, Switch } from "../ui/parts";
import { Sparkline } from "../ui/sparkline";
import { endpointFlag } from "./empty";
import { columnsOf, isNumber, keyText, plainJSON, textOf, type Item } from "./item";
import { ItemDialog } from "./itemdialog";
import { KeyFilter, noFilter, toParams, type Filter } from "./keyfilter";
import { NotFound } from "./notfound";

const pageSize = 50;

export function TablePage(props: { name: string }) {
  const { loaded, tables, mappings } = live.value;
  const table = tables.find((t) => t.name === props.name);
  const back = { to: to("tables"), label: "Tables" };
  if (!loaded) return <Page title={props.name} back={back}><Loading /></Page>;
  if (!table) return <NotFound what={`There is no table ${props.name}.`} />;
  const size = bytesOf(table.bytes);
  const readers = mappings.filter((m) => m.sourceKind === "table" && m.sourceName === table.name);
  return (
    <Page title={table.name} back={back} wide
      under={
        <>
          {table.streamView ? <>changes: {table.streamView}</> : "no stream of changes"}
          {readers.map((m) => <span key={m.uuid}> · read by <a href={to("functions", m.function)}>{m.function}</a></span>)}
        </>
      }>
      <div class="figures figures-4">
        <Figure label="Items" value={count(table.items)} />
        <Figure label="Size" value={size.value} unit={size.unit} />
        <Figure label="Writes" value={rate(table.writesPerSecond)} unit="/s">
          <Sparkline values={history("tables", table.name)} label="Writes per second" />
        </Figure>
        <Figure label="Reads" value={rate(table.readsPerSecond)} unit="/s">
          <Sparkline values={history("tables", table.name, 1)} label="Reads per second" />
        </Figure>
      </div>
      <Items key={table.name} table={table} />
    </Page>
  );
}

function Items(props: { table: TableView }) {
  const { table } = props;
  const [filter, setFilter] = useState<Filter>(noFilter);
  const [starts, setStarts] = useState<string[]>([""]); // of the pages up to this one
  const [follow, setFollow] = useState(true);
  const params = new URLSearchParams({ limit: String(pageSize), ...toParams(filter) });
  const start = starts.at(-1)!;
  if (start) params.set("start", start);
  const writes = useRef(table.writes);
  if (follow) writes.current = table.writes;
  const { data, error, loading } = useData<ItemPage>(`tables/${encodeURIComponent(table.name)}/items?${params}`, writes.current);
  const choose = (f: Filter) => {
    setFilter(f);
    setStarts([""]);
  };
  return (
    <Card flush class="items-card">
      <header class="items-tools">
        <KeyFilter table={table} filter={filter} onChange={choose} />
        <Switch label="Live" on={follow} onChange={setFollow} title="Refresh when the table changes" />
      </header>
      {error && <Problem>{error}</Problem>}
      {loading ? <Loading lines={8} /> : data && <ItemTable table={table} items={data.items as Item[]} filtered={filter.hash !== ""} />}
      {data && (data.next || starts.length > 1) && (
        <footer class="pager">
          <button type="button" class="button" disabled={starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}><Icon name="back" size={12} />Previous</button>
          <span class="quiet num">Page {starts.length}</span>
          <button type="button" class="button" disabled={!data.next} onClick={() => setStarts([...starts, data.next!])}>Next<Icon name="next" size={12} /></button>
        </footer>
      )}
    </Card>
  );
}

function ItemTable(props: { table: TableView; items: Item[]; filtered: boolean }) {
  const { table, items } = props;
  const keys = useMemo(() => [table.hashKey.name, ...(table.rangeKey ? [table.rangeKey.name] : [])], [table.hashKey.name, table.rangeKey?.name]);
  const columns = columnsOf(items, keys);
  const changed = useChanged(items, keys);
  const [open, setOpen] = useState<Item | null>(null);
  if (items.length === 0) {
    if (props.filtered) return <Empty title="No item has such a key" />;
    return (
      <Empty title="This table is empty">
        <div class="commands">
          <Command text={`aws ${endpointFlag()} dynamodb put-item --table-name ${table.name} --item '${exampleItem(table)}'`} />
        </div>
      </Empty>
    );
  }
  return (
    <>
      <div class="scroll items" tabIndex={0} role="region" aria-label={`Items of ${table.name}`}>
        <table class="list list-dense">
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c} class={items.every((i) => !i[c] || isNumber(i[c])) ? "right" : ""}>
                  {c}{keys.includes(c) && <span class="key-mark" title="Part of the key">key</span>}
                </th>
              ))}
              <th><span class="sr-only">Item</span></th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => {
              const key = keyText(item, keys);
              return (
                <tr key={key} class={changed.has(key) ? "changed" : ""} onClick={() => setOpen(item)}>
                  {columns.map((c) => <Cell key={c} item={item} column={c} />)}
                  <td class="row-open"><button type="button" class="button button-ghost button-square" aria-label={`Show item ${key}`}><Icon name="next" size={12} /></button></td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {open && <ItemDialog title={keyText(open, keys)} item={items.find((i) => keyText(i, keys) === keyText(open, keys)) ?? open} onClose={() => setOpen(null)} />}
    </>
  );
}

function Cell(props: { item: Item; column: string }) {
  const value = props.item[props.column];
  if (!value) return <td class="absent" aria-label="no such attribute" />;
  return <td class={isNumber(value) ? "num right" : "cell"}>{textOf(value)}</td>;
}

// useChanged returns the keys of the rows that differ from a moment ago.
function useChanged(items: Item[], keys: string[]): Set<string> {
  const before = useRef<Map<string, string> | null>(null);
  const [changed, setChanged] = useState(new Set<string>());
  useEffect(() => {
    const now = new Map(items.map((i) => [keyText(i, keys), plainJSON(i)]));
    const was = before.current;
    before.current = now;
    if (!was) return;
    const fresh = new Set([...now].filter(([k, v]) => was.get(k) !== v).map(([k]) => k));
    // Another page shares no row with the one before: nothing of it changed.
    if (fresh.size === 0 || fresh.size === now.size && now.size > 1) return;
    setChanged(fresh);
    const timer = setTimeout(() => setChanged(new Set()), 1500);
    return () => clearTimeout(timer);
  }, [items]);
  return changed;
}

function exampleItem(t: TableView): string {
  const example = { S: "example", N: "1", B: "ZXhhbXBsZQ==" } as Record<string, string>;
  const keys = t.rangeKey ? [t.hashKey, t.rangeKey] : [t.hashKey];
  return JSON.stringify(Object.fromEntries(keys.map((k) => [k.name, { [k.type]: example[k.type] ?? "" }])));
}
