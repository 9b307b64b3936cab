import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { base } from "./api";

// place is the path under the console's base, in decoded segments, with the
// query of the address.
export interface Place {
  path: string[];
  query: URLSearchParams;
}

export const place = signal<Place>(read());

function read(): Place {
  const rest = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : "";
  return {
    path: rest.split("/").filter((s) => s !== "").map(decodeURIComponent),
    query: new URLSearchParams(location.search),
  };
}

addEventListener("popstate", () => (place.value = read()));

// to builds the address of a page.
export function to(...segments: string[]): string {
  return base + segments.map(encodeURIComponent).join("/");
}

export function go(address: string): void {
  if (address === location.pathname + location.search) return;
  history.pushState(null, "", address);
  place.value = read();
  scrollTo(0, 0);
}

// setQuery changes parameters of the address without a new entry in the
// history; an empty value removes one.
export function setQuery(changes: Record<string, string>): void {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(changes)) {
    if (value === "") url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  history.replaceState(null, "", url);
  place.value = read();
}

// Links inside the console change the page without loading it anew.
document.addEventListener("click", (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const a = (e.target as Element).closest?.("a");
  if (!a || a.target !== "" || a.origin !== location.origin || !a.pathname.startsWith(base)) return;
  e.preventDefault();
  go(a.pathname + a.search);
});

export function Link(props: { to: string; class?: string; title?: string; current?: boolean; children: ComponentChildren }) {
  return (
    <a href={props.to} class={props.class} title={props.title} aria-current={props.current ? "page" : undefined}>
      {props.children}
    </a>
  );
}
