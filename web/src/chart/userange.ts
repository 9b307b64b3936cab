import { useEffect, useState } from "preact/hooks";
import { place, setQuery } from "../router";
import { rangeOf, writeLast, type Range } from "./range";

// useRange keeps the range in the address.
export function useRange(usual: Range): [Range, (r: Range) => void] {
  const choose = (r: Range) =>
    "from" in r ? setQuery({ from: String(r.from), until: String(r.until), last: "" }) : setQuery({ last: writeLast(r.last), from: "", until: "" });
  return [rangeOf(place.value.query, usual), choose];
}

// useTicks counts up while a chart follows the present: whenever version changes
// and at least once in everyMs, so that the range moves on without new data too.
export function useTicks(on: boolean, version: number, everyMs: number): number {
  const [ticks, setTicks] = useState(0);
  useEffect(() => {
    if (on) setTicks((t) => t + 1);
  }, [on, version]);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => document.hidden || setTicks((t) => t + 1), everyMs);
    return () => clearInterval(timer);
  }, [on, everyMs]);
  return ticks;
}
