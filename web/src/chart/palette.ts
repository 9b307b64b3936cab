// The colours of series, chosen to be told apart in either theme, also by people
// who do not see red and green apart: neighbours differ in lightness too.

const light = ["#1d6fd1", "#e08600", "#0c9a86", "#b8418a", "#6f56c9", "#6d9a1f", "#d14a3a", "#5d6f82", "#0f86b3", "#a0682a"];
const night = ["#5ea3f7", "#f2ab3c", "#34c9b0", "#ea83bd", "#a590f5", "#a3cf55", "#fa8072", "#9aabbd", "#55c3e8", "#d1a06a"];

export function seriesColor(index: number, dark: boolean): string {
  const colors = dark ? night : light;
  return colors[index % colors.length]!;
}

// ink is what charts draw with beside the series.
export interface Ink {
  text: string;
  grid: string;
  axis: string;
  surface: string;
}

export function inkOf(dark: boolean): Ink {
  return dark
    ? { text: "#93a1b1", grid: "#222c36", axis: "#34414e", surface: "#151b22" }
    : { text: "#5f6c7a", grid: "#edf0f3", axis: "#d3d9e0", surface: "#ffffff" };
}

// mix returns a colour between two, opaque: share of a over b.
export function mix(a: string, b: string, share: number): string {
  const channels = [1, 3, 5].map((i) => {
    const of = (c: string) => parseInt(c.slice(i, i + 2), 16);
    return Math.round(of(a) * share + of(b) * (1 - share)).toString(16).padStart(2, "0");
  });
  return "#" + channels.join("");
}

export function translucent(color: string, opacity: number): string {
  return color + Math.round(opacity * 255).toString(16).padStart(2, "0");
}

// isColor says whether a colour from a dashboard can be used.
export function isColor(c: unknown): c is string {
  return typeof c === "string" && /^#[0-9a-f]{6}$/i.test(c);
}
