// Builds the console's web app into the folder that the Go package embeds.
//
// The same sources and package-lock.json give the same bytes, so that a build
// can be compared with the one that is committed. With --watch it rebuilds on
// every change, with --test it builds the unit tests into out/ instead.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, "../internal/console/dist");
const base = "/_weir/console/";

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "info",
};

if (process.argv.includes("--test")) {
  await buildTests();
} else if (process.argv.includes("--watch")) {
  const context = await esbuild.context({ ...appOptions(), plugins: [{ name: "page", setup: (b) => b.onEnd(finish) }] });
  await context.watch();
} else {
  await rm(dist, { recursive: true, force: true });
  await finish(await esbuild.build(appOptions()));
}

function appOptions() {
  return {
    ...common,
    entryPoints: { app: "src/main.tsx", early: "src/early.ts", style: "src/style/index.css" },
    outdir: path.join(dist, "assets"),
    publicPath: `${base}assets`,
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
    metafile: true,
    legalComments: "none", // licenses.txt has them
  };
}

async function buildTests() {
  const tests = (await readdir(path.join(here, "src"), { recursive: true })).filter((f) => f.endsWith(".test.ts"));
  await esbuild.build({
    ...common,
    entryPoints: tests.map((f) => path.join("src", f)),
    outdir: "out",
    outExtension: { ".js": ".mjs" },
    entryNames: "[name]",
    platform: "node",
  });
}

// finish writes what refers to the bundles by their hashed names.
async function finish({ metafile, errors }) {
  if (errors.length > 0) return;
  const built = (entry) => {
    const found = Object.entries(metafile.outputs).find(([, o]) => o.entryPoint === entry);
    return base + "assets/" + path.basename(found[0]);
  };
  const icon = await readFile(path.join(here, "src/favicon.svg"));
  const iconName = `favicon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
  await mkdir(path.join(dist, "assets"), { recursive: true });
  await writeFile(path.join(dist, "assets", iconName), icon);
  await writeFile(path.join(dist, "index.html"), page({
    early: built("src/early.ts"), app: built("src/main.tsx"), style: built("src/style/index.css"), icon: `${base}assets/${iconName}`,
  }));
  await writeFile(path.join(dist, "licenses.txt"), await licenses(metafile));
}

function page({ early, app, style, icon }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Weir</title>
<base href="${base}">
<link rel="icon" type="image/svg+xml" href="${icon}">
<script src="${early}"></script>
<link rel="stylesheet" href="${style}">
<script type="module" src="${app}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The console needs JavaScript. The same figures are in Prometheus format at <a href="/_weir/metrics">/_weir/metrics</a>.</noscript>
</body>
</html>
`;
}

// licenses collects the license texts of the packages that are in the bundles.
async function licenses(metafile) {
  const packages = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const input of Object.keys(output.inputs)) {
      const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (found) packages.add(found[1]);
    }
  }
  let text = "The web console of Weir contains the following packages.\n";
  for (const name of [...packages].sort()) {
    const dir = path.join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(path.join(dir, "package.json"), "utf8"));
    const file = (await readdir(dir)).find((f) => /^licen[cs]e/i.test(f));
    const terms = file ? await readFile(path.join(dir, file), "utf8") : license;
    text += `\n${"=".repeat(72)}\n${name} ${version} (${license})\n\n${terms.replaceAll("\r\n", "\n").trim()}\n`;
  }
  return text;
}
