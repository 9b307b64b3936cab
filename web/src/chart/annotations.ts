import type uPlot from "uplot";
import type { ChartProps, Level, Moment } from "./chart";
import { isColor, translucent } from "./palette";

const standard = "#d1495b";

// annotate draws the levels and moments of a chart: what they shade under the
// series, their lines and labels over them.
export function annotate(u: uPlot, props: Pick<ChartProps, "levels" | "moments">, layer: "under" | "over"): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const l of props.levels ?? []) level(u, l, layer);
  for (const m of props.moments ?? []) moment(u, m, layer);
  ctx.restore();
}

function level(u: uPlot, l: Level, layer: "under" | "over"): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const color = isColor(l.color) ? l.color : standard;
  const y = Math.round(u.valToPos(l.value, l.right ? "r" : "y", true));
  if (layer === "under") {
    if (!l.fill) return;
    ctx.fillStyle = translucent(color, 0.08);
    if (l.fill === "above") ctx.fillRect(left, top, width, y - top);
    else ctx.fillRect(left, y, width, top + height - y);
    return;
  }
  stroke(u, color, left, y, left + width, y);
  label(u, l.label, color, left + width, y, "right");
}

function moment(u: uPlot, m: Moment, layer: "under" | "over"): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const color = isColor(m.color) ? m.color : standard;
  const x = Math.round(u.valToPos(m.at, "x", true));
  if (x < left || x > left + width) return;
  if (layer === "under") {
    if (!m.fill) return;
    ctx.fillStyle = translucent(color, 0.08);
    if (m.fill === "before") ctx.fillRect(left, top, x - left, height);
    else ctx.fillRect(x, top, left + width - x, height);
    return;
  }
  stroke(u, color, x, top, x, top + height);
  label(u, m.label, color, x, top + 14 * devicePixelRatio, x > left + width / 2 ? "right" : "left");
}

function stroke(u: uPlot, color: string, x1: number, y1: number, x2: number, y2: number): void {
  const { ctx } = u;
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
}

function label(u: uPlot, text: string, color: string, x: number, y: number, align: "left" | "right"): void {
  if (text === "") return;
  const { ctx } = u;
  const room = 4 * devicePixelRatio;
  ctx.font = `600 ${11 * devicePixelRatio}px "Inter Variable", ui-sans-serif, system-ui, sans-serif`;
  ctx.fillStyle = color;
  ctx.textAlign = align;
  const above = y - room > u.bbox.top + 12 * devicePixelRatio;
  ctx.textBaseline = above ? "bottom" : "top";
  ctx.fillText(text, align === "right" ? x - room : x + room, above ? y - room : y + room);
}
