import type uPlot from "uplot";

// segments draws a series as one line per run of points between two gaps. The
// library's own lines go on through gaps and are clipped there, which leaves
// specks where a line is steep.
export const segments: uPlot.Series.PathBuilder = (u, index, from, to) => {
  const scale = u.series[index]!.scale!;
  const times = u.data[0];
  const values = u.data[index]!;
  const { min, max } = u.scales[scale]!;
  const foot = Math.round(u.valToPos(Math.min(Math.max(0, min ?? 0), max ?? 0), scale, true));
  const stroke = new Path2D();
  const fill = new Path2D();
  let start: number | null = null; // where the run began
  let x = 0;
  const end = () => {
    if (start !== null) {
      fill.lineTo(x, foot);
      fill.lineTo(start, foot);
      fill.closePath();
    }
    start = null;
  };
  for (let i = from; i <= to; i++) {
    const v = values[i];
    if (v === undefined) continue; // a point of another series only
    if (v === null) {
      end();
      continue;
    }
    x = u.valToPos(times[i]!, "x", true);
    const y = u.valToPos(v, scale, true);
    if (start === null) {
      start = x;
      stroke.moveTo(x, y);
      fill.moveTo(x, y);
    } else {
      stroke.lineTo(x, y);
      fill.lineTo(x, y);
    }
  }
  end();
  return { stroke, fill };
};
