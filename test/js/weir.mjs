// A server for the tests of a file, clients for it, and what tests share.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { strToU8, zipSync } from "fflate";

export const role = "arn:aws:iam::000000000000:role/any";

// start runs the program that WEIR_BIN names, on a free port and in a directory of
// its own. Functions find the SDK where `weir runtimes install node` puts it.
export async function start() {
  if (!process.env.WEIR_BIN) throw new Error("Set WEIR_BIN to the program to test.");
  const dir = await mkdtemp(path.join(os.tmpdir(), "weir-js-"));
  const sdk = path.join(dir, "data", "runtimes", "node", "aws-sdk-js-v3");
  await mkdir(sdk, { recursive: true });
  await symlink(new URL("node_modules", import.meta.url).pathname, path.join(sdk, "node_modules"));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
  const child = spawn(process.env.WEIR_BIN, ["up", "--listen", "127.0.0.1:0", "--data-dir", path.join(dir, "data"), "--log-level", "warn"],
    { stdio: ["ignore", "pipe", "inherit"], env });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ready = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (ready.done) throw new Error("The server did not start.");
  child.stdout.resume();
  const clients = [];
  return {
    endpoint: ready.value.split(" ")[1],
    client(Client, config = {}) {
      const client = new Client({ endpoint: this.endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" }, ...config });
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      child.kill("SIGTERM");
      const status = await ended;
      process.off("exit", kill);
      await rm(dir, { recursive: true, force: true });
      if (status !== 0) throw new Error(`The server ended with status ${status}.`);
    },
  };
}

// zip packs files, given as an object from name to text or bytes.
export function zip(files) {
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, content]) => [name, typeof content === "string" ? strToU8(content) : content])));
}

// eventually calls check until it no longer throws.
export async function eventually(check, ms = 60_000) {
  for (const end = Date.now() + ms; ;) {
    try {
      return await check();
    } catch (e) {
      if (Date.now() > end) throw e;
    }
    await sleep(200);
  }
}

export async function collect(pages, list) {
  const all = [];
  for await (const page of pages) all.push(...list(page));
  return all;
}
