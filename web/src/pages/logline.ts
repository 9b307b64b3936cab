// What a line of a function's log is.
import { unturned } from "../format";

export type LineKind = "platform" | "error" | "warning" | "output";

const platform = /^(START RequestId: |END RequestId: |REPORT RequestId: |INIT_START )/;
const error = /^\[?(ERROR|FATAL|CRITICAL)\b|\bERROR\b|"level":\s*"(error|fatal|critical)"|^Traceback |^panic: |\bException\b|Task timed out after|errorMessage|Runtime exited|exit status [1-9]|level=(error|fatal)/i;
const warning = /^\[?WARN(ING)?\b|"level":\s*"warn(ing)?"|level=warn/i;

export function kindOf(message: string): LineKind {
  if (platform.test(message)) return "platform";
  if (error.test(message)) return "error";
  if (warning.test(message)) return "warning";
  return "output";
}

// matches says whether all words of the filter are in the message, in any order
// and case.
export function matches(message: string, filter: string): boolean {
  const text = message.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

// shown is a message as it is shown: without the colors that are meant for terminals.
export function shown(message: string): string {
  return unturned(message.replace(/\n$/, "").replace(/\x1b\[[0-9;]*m/g, ""));
}
