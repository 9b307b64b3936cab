import { useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  data?: T;
  error?: string;
  loading: boolean;
}

const leastPause = 1000;

// usePolled asks again whenever version changes, but one question at a time and
// with pauses in proportion to how long an answer takes; what it has is shown
// meanwhile. Another question is asked at once and does not show the answer to
// the one before.
export function usePolled<T>(question: string, version: string, ask: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [answer, setAnswer] = useState<{ question: string; data?: T; error?: string } | null>(null);
  const latest = useRef({ version, ask });
  latest.current = { version, ask };
  const wake = useRef<() => void>(() => {});

  useEffect(() => {
    const abort = new AbortController();
    let answered = "";
    let busy = false;
    const run = async () => {
      if (busy || answered === latest.current.version || abort.signal.aborted) return;
      busy = true;
      const asking = latest.current;
      const began = performance.now();
      try {
        const data = await asking.ask(abort.signal);
        if (!abort.signal.aborted) setAnswer({ question, data });
      } catch (e) {
        if (!abort.signal.aborted) setAnswer((was) => ({ question, data: was?.question === question ? was.data : undefined, error: (e as Error).message }));
      }
      answered = asking.version;
      await new Promise((r) => setTimeout(r, Math.max(leastPause, 5 * (performance.now() - began))));
      busy = false;
      void run();
    };
    wake.current = () => void run();
    void run();
    return () => abort.abort();
  }, [question]);

  useEffect(() => wake.current(), [version]);

  if (answer?.question !== question) return { loading: true };
  return { ...answer, loading: false };
}
