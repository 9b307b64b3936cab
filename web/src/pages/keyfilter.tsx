import { useState } from "preact/hooks";
import type { TableView } from "../data";

// Filter is a query by key; without a hash key it is all items.
export interface Filter {
  hash: string;
  op: string;
  range: string;
  descending: boolean;
}

export const noFilter: Filter = { hash: "", op: "", range: "", descending: false };

export function toParams(f: Filter): Record<string, string> {
  if (f.hash === "") return {};
  const params: Record<string, string> = { hash: f.hash };
  if (f.op && f.range !== "") Object.assign(params, { op: f.op, range: f.range });
  if (f.descending) params["order"] = "desc";
  return params;
}

const operators: [string, string][] = [["begins_with", "begins with"], ["=", "="], ["<", "<"], ["<=", "≤"], [">", ">"], [">=", "≥"]];

// KeyFilter asks for a hash key and, under it, a condition on the range key.
export function KeyFilter(props: { table: TableView; filter: Filter; onChange: (f: Filter) => void }) {
  const { table, filter } = props;
  const usual = table.rangeKey?.type === "N" ? ">=" : "begins_with";
  const [draft, setDraft] = useState<Filter>({ ...filter, op: usual });
  const submit = (e: Event) => {
    e.preventDefault();
    props.onChange(draft);
  };
  const clear = () => {
    setDraft({ ...noFilter, op: usual });
    props.onChange(noFilter);
  };
  return (
    <form class="key-filter" onSubmit={submit} role="search">
      <label class="field-inline">
        {table.hashKey.name} =
        <input class="input" placeholder="any" value={draft.hash} onInput={(e) => setDraft({ ...draft, hash: e.currentTarget.value })} />
      </label>
      {table.rangeKey && (
        <span class="field-inline">
          <label for="range-value">{table.rangeKey.name}</label>
          <select class="input" aria-label="Comparison" value={draft.op} onChange={(e) => setDraft({ ...draft, op: e.currentTarget.value })}>
            {operators.filter(([op]) => op !== "begins_with" || table.rangeKey!.type !== "N").map(([op, label]) => <option key={op} value={op}>{label}</option>)}
          </select>
          <input id="range-value" class="input" placeholder="any" disabled={draft.hash === ""} value={draft.range} onInput={(e) => setDraft({ ...draft, range: e.currentTarget.value })} />
        </span>
      )}
      <button type="submit" class="button">Find</button>
      {table.rangeKey && filter.hash !== "" && (
        <button type="button" class="button" aria-pressed={filter.descending} onClick={() => { const f = { ...filter, descending: !filter.descending }; setDraft(f); props.onChange(f); }}>
          {filter.descending ? "Descending" : "Ascending"}
        </button>
      )}
      {filter.hash !== "" && <button type="button" class="button button-ghost" onClick={clear}>Clear</button>}
    </form>
  );
}
