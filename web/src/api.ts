import { usePolled, type Loaded } from "./poll";

export const base = "/_weir/console/";

// get asks for data; the error of a failed request has a text to show.
export async function get<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(base + "api/" + path, init);
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new Error("The server cannot be reached.", { cause });
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { error?: string };
    throw new Error(body.error ?? `The server answered ${response.status}.`);
  }
  return (await response.json()) as T;
}

// useData loads path, and again whenever version changes.
export function useData<T>(path: string, version: unknown = 0): Loaded<T> {
  return usePolled(path, String(version), (signal) => get<T>(path, { signal }));
}
