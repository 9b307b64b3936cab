import { computed, signal } from "@preact/signals";
import { remember, remembered } from "./storage";

export type Theme = "auto" | "light" | "dark";

const stored = remembered("theme");
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const system = signal(systemDark.matches);
systemDark.addEventListener("change", (e) => (system.value = e.matches));

// theme is what the user chose.
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "auto");

// dark says whether the page is drawn dark.
export const dark = computed(() => theme.value === "dark" || (theme.value === "auto" && system.value));

export function chooseTheme(t: Theme): void {
  theme.value = t;
  remember("theme", t === "auto" ? "" : t);
  if (t === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = t;
}
