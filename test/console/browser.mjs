// A headless browser in which nothing may go wrong unnoticed: an error on the
// console, an exception in a page or a request to another origin fails the test.
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

export const endpoint = (process.env.WEIR_ENDPOINT ?? "http://127.0.0.1:4566").replace(/\/$/, "");
export const base = endpoint + "/_weir/console/";

const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

function findChromium() {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  for (const dir of (process.env.PATH ?? "").split(path.delimiter)) {
    for (const name of names) {
      const file = path.join(dir, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  return undefined; // one that playwright installed, if there is any
}

export async function launch() {
  return chromium.launch({ executablePath: findChromium() });
}

// visit runs a test in a page of its own.
export async function visit(browser, options, test) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "UTC", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (m) => m.type() === "error" && wrong.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => wrong.push(`exception: ${e.stack}`));
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.protocol !== "data:" && url.origin !== endpoint) wrong.push(`request to ${r.url()}`);
  });
  try {
    await test(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

// drawnCharts reads what the charts of a page show.
export async function drawnCharts(page) {
  return page.locator(".chart-plot").evaluateAll((plots) => plots.map((p) => p.drawnChart()).filter((c) => c.drawn > 0));
}

// eventually tries a check again until it holds.
export async function eventually(what, check, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (e) {
      if (Date.now() > end) throw new Error(`${what}: ${e.message}`, { cause: e });
    }
    await new Promise((r) => setTimeout(r, 100));
  }
}
