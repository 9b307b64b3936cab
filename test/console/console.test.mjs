// Drives the console of a running Weir on which the web-analytics example was
// deployed and its events were replayed:
//
//   WEIR_ENDPOINT=http://127.0.0.1:4566 SCREENSHOTS=/tmp/shots npm test
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { base, drawnCharts, eventually, launch, visit } from "./browser.mjs";
import { countsByHour, expectedCounts, findShift, hour, mappingOf, names, putEvent } from "./pipeline.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const expected = expectedCounts();
const events = [...new Set(expected.map((e) => e.event))];

test("the overview lists what runs", () => visit(browser, {}, async (page) => {
  await page.goto(base);
  await page.locator(`[data-stream="${names.stream}"]`).waitFor();
  for (const fn of [names.counter, names.publisher]) await page.locator(`[data-function="${fn}"]`).waitFor();
  await page.locator(`[data-table="${names.table}"]`).waitFor();
  assert.ok(await page.locator("[data-mapping]").count() >= 2);
  assert.ok(await page.locator("[data-alarm]").count() >= 2);
  assert.match(await page.locator(`[data-table="${names.table}"] .num`).first().innerText(), /^[1-9][\d,]*$/);
  await page.locator(".sidebar .connection-open").waitFor();
}));

async function openDashboard(page) {
  await page.goto(base + "dashboards?last=1w");
  if (await page.locator("table.list a").count() > 0) await page.locator("table.list a").first().click();
  await page.locator(".chart-plot canvas").first().waitFor();
}

// replayed waits until the charts show the replayed counts.
function replayed(page) {
  return eventually("the charts show the replayed counts", async () => {
    const counts = countsByHour(await drawnCharts(page), events);
    const shift = findShift(expected, counts);
    const wrong = expected.filter((e) => counts.get(`${e.event} ${e.at + shift}`) !== e.count);
    assert.equal(wrong.length, 0, `${wrong.length} of ${expected.length} counts differ, the first of ${wrong[0]?.event}: `
      + `${counts.get(`${wrong[0]?.event} ${wrong[0]?.at + shift}`)} instead of ${wrong[0]?.count}`);
    return { shift, counts };
  });
}

test("the charts show the replayed counts, and a new event without a reload", () => visit(browser, {}, async (page) => {
  await openDashboard(page);
  const { shift, counts } = await replayed(page);
  await page.evaluate(() => { window.samePage = true; });
  // In the hour before the first one, so that the replayed counts stay as they are.
  const at = Math.min(...expected.map((e) => e.at)) + shift - hour;
  const key = `page view ${at}`;
  const had = counts.get(key) ?? 0;
  await putEvent("page view", at + 60);
  await eventually("the chart shows the new event", async () => {
    const now = countsByHour(await drawnCharts(page), events);
    assert.equal(now.get(key), had + 1);
  });
  assert.ok(await page.evaluate(() => window.samePage), "the page was loaded again");
}));

test("a chart is read by keys and zoomed by the pointer", () => visit(browser, {}, async (page) => {
  await openDashboard(page);
  await replayed(page);
  const plot = page.locator(".chart-plot").first();
  await plot.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const tooltip = page.locator(".tooltip").first();
  await tooltip.waitFor();
  assert.match(await tooltip.innerText(), /\d{2}:\d{2} UTC/);
  await page.keyboard.press("Escape");
  await tooltip.waitFor({ state: "detached" });

  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await eventually("the range is zoomed", () => assert.match(page.url(), /from=\d+&until=\d+/));
}));

test("the table page shows items, pages and finds by key, and follows changes", () => visit(browser, {}, async (page) => {
  await page.goto(base + "tables/" + names.table);
  const rows = page.locator(".items tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), Math.min(50, expected.length));
  const heads = await page.locator(".items thead th").allInnerTexts();
  assert.match(heads[0], /EventName/);
  assert.match(heads[1], /EventHour/);

  await page.getByLabel("EventName =").fill("robots");
  await page.getByRole("button", { name: "Find" }).click();
  const robots = expected.filter((e) => e.event === "robots").length;
  await eventually("only one kind is shown", async () => {
    const kinds = new Set(await page.locator(".items tbody td:first-child").allInnerTexts());
    assert.deepEqual([...kinds], ["robots"]);
  });
  let found = await rows.count();
  while (await page.getByRole("button", { name: "Next" }).isEnabled()) {
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText(`Page ${Math.ceil(found / 50) + 1}`, { exact: true }).waitFor();
    await page.locator(".items .loading").waitFor({ state: "detached" });
    found += await eventually("the next page is there", async () => { const n = await rows.count(); assert.ok(n > 0); return n; });
  }
  assert.equal(found, robots);

  const name = `console test ${Date.now()}`;
  await page.getByLabel("EventName =").fill(name);
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByText("No item has such a key").waitFor();
  await putEvent(name, Math.floor(Date.now() / 1000) - hour);
  await page.locator(".items tbody tr", { hasText: name }).waitFor();

  await page.locator(".items tbody tr").first().getByRole("button").click();
  assert.match(await page.locator("dialog .json").innerText(), new RegExp(`"EventName": "${name}"`));
}));

test("the log of a function is followed, filtered and marked", () => visit(browser, {}, async (page) => {
  await page.goto(base + "functions/" + names.counter);
  await page.locator(".log-line").first().waitFor();
  for (const start of ["START RequestId", "END RequestId", "REPORT RequestId"]) {
    assert.ok(await page.locator(".log-platform", { hasText: start }).count() > 0, `no line with ${start}`);
  }
  const newest = async () => page.locator(".log-line").last().innerText();
  const before = await newest();
  await putEvent("console test", Math.floor(Date.now() / 1000) - hour);
  await eventually("the invocation of a new event is logged", async () => assert.notEqual(await newest(), before));
  const atEnd = await page.locator(".log").evaluate((l) => l.scrollHeight - l.scrollTop - l.clientHeight);
  assert.ok(atEnd < 4, `the newest line is ${atEnd} pixels out of sight`);

  await page.getByPlaceholder("Filter lines").fill("report duration");
  await eventually("only matching lines are shown", async () => {
    const lines = await page.locator(".log-line").allInnerTexts();
    assert.ok(lines.length > 0 && lines.every((l) => l.includes("REPORT")));
  });
}));

test("a mapping shows how it stands in each shard, as it changes", () => visit(browser, {}, async (page) => {
  await page.goto(base + "mappings");
  await page.locator("[data-mapping]", { hasText: names.counter }).getByRole("link", { name: /batch/ }).click();
  await page.getByRole("heading", { name: `${names.stream} ${names.counter}` }).waitFor();
  const shards = page.locator("[data-shard]");
  await shards.first().waitFor();
  assert.equal(await shards.count(), 2);
  assert.match(await shards.first().innerText(), /shardId-\d{12}\s+Waiting for records/);
  const heads = await page.locator("table[aria-label=Shards] thead th").allInnerTexts();
  for (const head of ["Shard", "Does", "Batch", "Took", "Invocations", "Retries", "Behind"]) assert.ok(heads.includes(head), `no column ${head}`);
  assert.match(await page.locator(".facts").innerText(), /Batch\s+up to [\d,]+ records/);
  const at = heads.indexOf("Invocations");
  const invocations = async () => (await shards.locator(`:nth-child(${at + 1})`).allInnerTexts()).join(" ");
  const before = await invocations();
  await putEvent("console test", Math.floor(Date.now() / 1000) - hour);
  await eventually("the invocation of a new event is counted", async () => assert.notEqual(await invocations(), before));
}));

test("the outbox shows mail", () => visit(browser, {}, async (page) => {
  await page.goto(base + "mail");
  await page.locator("[data-mail]").first().click();
  await page.locator(".mail-body").waitFor();
  assert.ok((await page.locator(".mail-body").innerText()).length > 20);
  assert.match(page.url(), /\/mail\/./);
}));

test("alarms and stacks show their state and what happened", () => visit(browser, {}, async (page) => {
  await page.goto(base + "alarms");
  await page.locator("[data-alarm] a").first().click();
  await page.locator(".event").first().waitFor();
  await page.locator(".chart-plot canvas").waitFor();
  await page.goto(base + "stacks");
  await page.locator("table.list a").first().click();
  await page.locator(".list .name", { hasText: "AWS::Kinesis::Stream" }).waitFor();
}));

test("pages that do not exist say so", () => visit(browser, {}, async (page) => {
  for (const missing of ["nothing", "tables/none", "functions/none", "mappings/none", "alarms/none/more"]) {
    await page.goto(base + missing);
    await page.getByRole("heading", { name: "Not found" }).waitFor();
  }
}));

test("items that are wider than the page scroll in a box of their own", () => visit(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
  await page.route("**/items?*", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const item of body.items) {
      for (let i = 0; i < 12; i++) item["an_attribute_with_a_long_name_" + i] = { S: "lorem ipsum ".repeat(30) };
    }
    await route.fulfill({ response, json: body });
  });
  await page.goto(base + "tables/" + names.table);
  await page.locator(".items tbody tr").first().waitFor();
  const [whole, box] = await page.evaluate(() => [document.documentElement, document.querySelector(".items")].map((e) => e.scrollWidth - e.clientWidth));
  assert.ok(box > 1000, `the box scrolls by ${box} pixels`);
  assert.ok(whole <= 0, `the page is ${whole} pixels too wide`);
}));

test("a theme that was chosen stays", () => visit(browser, { colorScheme: "light" }, async (page) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto(base);
  await page.locator(".sidebar .connection-open").waitFor();
  const light = await background();
  await page.getByRole("button", { name: "Dark" }).click();
  assert.notEqual(await background(), light);
  const dark = await background();
  await page.reload();
  assert.equal(await background(), dark);
}));

const shots = process.env.SCREENSHOTS;
const sizes = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

for (const viewport of sizes) {
  for (const colorScheme of ["light", "dark"]) {
    test(`pages fit ${viewport.width} pixels, ${colorScheme}`, () => visit(browser, { viewport, colorScheme }, async (page) => {
      for (const [name, address, ready] of [
        ["overview", "", `[data-stream="${names.stream}"]`],
        ["dashboard", "dashboards", ".chart-plot canvas, table.list"],
        ["stream", "streams/" + names.stream, ".figure"],
        ["table", "tables/" + names.table, ".items tbody tr"],
        ["function", "functions/" + names.counter, ".log-line"],
        ["mappings", "mappings", "[data-mapping]"],
        ["mapping", "mappings/" + await mappingOf(names.counter), "[data-shard]"],
        ["alarms", "alarms", "[data-alarm]"],
        ["mail", "mail", "[data-mail]"],
        ["stacks", "stacks", "table.list"],
      ]) {
        await page.goto(base + address);
        await page.locator(ready).first().waitFor();
        await page.evaluate(() => document.fonts.ready);
        await page.locator(".loading").first().waitFor({ state: "detached" });
        await page.waitForTimeout(300); // figures and charts settle; only pictures depend on it
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
        if (!shots) continue;
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: path.join(shots, `${name}-${viewport.width}-${colorScheme}.png`) });
      }
    }));
  }
}
