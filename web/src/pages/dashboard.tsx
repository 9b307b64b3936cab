import { useMemo, useState } from "preact/hooks";
import { useData } from "../api";
import { bounds, type Range } from "../chart/range";
import { RangePicker } from "../chart/rangepicker";
import { useRange, useTicks } from "../chart/userange";
import { parseBoard, type Board } from "../dashboard/body";
import { WidgetBox } from "../dashboard/widgets";
import type { DashboardDetail } from "../data";
import { zoneName } from "../format";
import { live } from "../live";
import { Card, Command, Empty, Loading, Page, Problem } from "../ui/parts";
import { endpointFlag } from "./empty";

const slide = 15_000; // the time after which a live dashboard moves on without new data

export function DashboardPage(props: { name: string }) {
  const { name } = props;
  const changed = live.value.dashboards.find((d) => d.name === name)?.modified;
  const { data, error, loading } = useData<DashboardDetail>(`dashboards/${encodeURIComponent(name)}`, changed);
  const read = useMemo(() => (data ? readBoard(data.body) : null), [data?.body]);
  if (loading) return <Page title={name}><Loading lines={8} /></Page>;
  if (!read || read.error) return <Page title={name}><Problem>{error ?? read?.error}</Problem></Page>;
  return <BoardView name={name} board={read.board!} />;
}

function readBoard(body: string): { board?: Board; error?: string } {
  try {
    return { board: parseBoard(body) };
  } catch (e) {
    return { error: "The body of this dashboard cannot be read: " + (e as Error).message };
  }
}

function BoardView(props: { name: string; board: Board }) {
  const { board } = props;
  const usual: Range = useMemo(() => board.range ?? { last: 3 * 3600 }, [board]);
  const [range, setRange] = useRange(usual);
  const [follow, setFollow] = useState(true);
  const moving = follow && "last" in range;
  const tick = useTicks(moving, live.value.metrics, slide);
  const rangeKey = JSON.stringify(range);
  const { start, end } = useMemo(() => bounds(range, Date.now()), [rangeKey, tick]);
  const time = { start, end, tick, onZoom: (from: number, until: number) => setRange({ from, until }) };
  const widgets = useMemo(() => [...board.widgets].sort((a, b) => a.y - b.y || a.x - b.x), [board]);
  return (
    <Page title={props.name} wide under={<>Times in {zoneName()}</>} actions={<RangePicker range={range} usual={usual} live={follow} onRange={setRange} onLive={setFollow} />}>
      {widgets.length === 0 && (
        <Card>
          <Empty title="This dashboard has no widgets">
            <Command text={`aws ${endpointFlag()} cloudwatch get-dashboard --dashboard-name ${props.name}`} />
          </Empty>
        </Card>
      )}
      <div class="board">
        {widgets.map((w, i) => <WidgetBox key={i} widget={w} time={time} />)}
      </div>
    </Page>
  );
}
