import { digits, unturned } from "../format";

// Value is an attribute value in DynamoDB's JSON notation: one key, which names
// the type.
export type Value = Record<string, unknown>;
export type Item = Record<string, Value>;

function typed(v: Value): [string, unknown] {
  const type = Object.keys(v)[0] ?? "";
  return [type, v[type]];
}

export function isNumber(v: Value): boolean {
  return typed(v)[0] === "N";
}

// textOf writes a value for a cell.
export function textOf(v: Value): string {
  const [type, content] = typed(v);
  switch (type) {
    case "S":
      return unturned(String(content));
    case "N":
      return digits(String(content));
    case "BOOL":
      return content ? "true" : "false";
    case "NULL":
      return "null";
    case "B":
      return `binary, ${bytesOfBase64(String(content))} bytes`;
    default:
      return JSON.stringify(plain(v));
  }
}

function bytesOfBase64(text: string): number {
  return Math.floor((text.length * 3) / 4) - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
}

// BigNumber keeps the digits of a number that JSON would round.
const bigNumber = (text: string): unknown => (String(Number(text)) === text ? Number(text) : text);

// plain is a value without its types.
export function plain(v: Value): unknown {
  const [type, content] = typed(v);
  switch (type) {
    case "N":
      return bigNumber(String(content));
    case "NS":
      return (content as string[]).map(bigNumber);
    case "L":
      return (content as Value[]).map(plain);
    case "M":
      return plainItem(content as Item);
    case "NULL":
      return null;
  }
  return content;
}

export function plainItem(item: Item): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, v]) => [name, plain(v)]));
}

export function plainJSON(item: Item): string {
  return unturned(JSON.stringify(plainItem(item), null, 2));
}

export function keyText(item: Item, keys: string[]): string {
  return unturned(keys.map((k) => (item[k] ? String(typed(item[k]!)[1]) : "")).join(" · "));
}

// columnsOf orders the attributes: keys first, then by how many items have them,
// then by name.
export function columnsOf(items: Item[], keys: string[]): string[] {
  const have = new Map<string, number>();
  for (const item of items) for (const name of Object.keys(item)) have.set(name, (have.get(name) ?? 0) + 1);
  const others = [...have.keys()].filter((n) => !keys.includes(n)).sort((a, b) => have.get(b)! - have.get(a)! || (a < b ? -1 : 1));
  return [...keys, ...others];
}
