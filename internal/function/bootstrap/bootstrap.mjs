// Runs a JavaScript function in an execution environment of Weir.
//
// Started as: node bootstrap.mjs, in the folder of the function's code, with the
// environment variables of the Lambda runtimes. It loads the handler, then asks
// the Runtime API for one event after the other.
//
// A line break within one log event is written as U+001E; the environment turns
// it back. It works with Node 14 and later.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const api = '/2018-06-01/runtime/';
const lineJoint = '\x1e';
const env = process.env;

let requestId = '';

// Fault is a problem that is reported under a name of its own.
class Fault extends Error {
  constructor(kind, message, cause) {
    super(message);
    this.name = kind;
    if (cause && cause.stack) {
      this.stack = cause.stack;
    }
  }
}

// RuntimeAPI is a connection to the Runtime API, for one request at a time. It reads
// all answers into one buffer: for the event of a large batch, what node:http
// allocates anew costs more than decoding it.
class RuntimeAPI {
  constructor(address) {
    this.address = address;
    this.socket = null;
    this.buffer = Buffer.allocUnsafeSlow(64 << 10);
    this.reset(null);
  }

  // reset begins an answer, with whom to tell of it.
  reset(asker) {
    this.asker = asker;
    this.filled = 0;
    this.headers = null;
    this.start = 0; // of the body
    this.end = 0;
  }

  // request resolves to the headers and the text of the answer.
  request(method, what, text, fields) {
    return new Promise((resolve, reject) => {
      if (this.asker && this.socket) { // only to report why the process ends
        this.socket.destroy();
        this.socket = null;
      }
      this.reset({ resolve, reject });
      this.socket = this.socket || this.connect();
      this.socket.ref();
      this.socket.write(`${method} ${api}${what} HTTP/1.1\r\nHost: ${this.address}\r\nContent-Type: application/json\r\n` +
        `${fields}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
  }

  connect() {
    const [host, port] = this.address.split(':');
    const onread = { buffer: () => this.buffer.subarray(this.filled), callback: (n) => this.receive(n) };
    const socket = net.connect({ host, port, onread });
    socket.setNoDelay(true);
    const close = (error) => {
      if (this.socket !== socket) {
        return; // known, or given up
      }
      const { asker } = this;
      this.socket = null;
      this.reset(null);
      if (asker) {
        asker.reject(error instanceof Error ? error : new Error('The Runtime API closed the connection'));
      }
    };
    socket.on('error', close);
    socket.on('close', close);
    return socket;
  }

  receive(n) {
    this.filled += n;
    if (!this.headers) {
      this.readHead();
    }
    if (!this.headers || this.filled < this.end) {
      return;
    }
    const { asker, headers } = this;
    const text = this.buffer.toString('utf8', this.start, this.end);
    this.reset(null);
    this.socket.unref(); // while it is not in use, it does not keep the event loop alive
    asker.resolve({ headers, text });
  }

  // readHead reads the header if all of it is there, and makes room for the body.
  readHead() {
    const size = this.buffer.subarray(0, this.filled).indexOf('\r\n\r\n');
    if (size < 0) {
      return;
    }
    this.headers = {};
    for (const line of this.buffer.toString('utf8', 0, size).split('\r\n').slice(1)) {
      const colon = line.indexOf(':');
      this.headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    this.start = size + 4;
    this.end = this.start + Number(this.headers['content-length'] || 0);
    if (this.end > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(this.end + (this.end >> 2));
      this.buffer.copy(larger, 0, 0, this.filled);
      this.buffer = larger;
    }
  }
}

const runtime = new RuntimeAPI(env.AWS_LAMBDA_RUNTIME_API);

const post = (what, text, fields = '') => runtime.request('POST', what, text, fields);

function postError(what, error) {
  const report = describe(error);
  return post(what, JSON.stringify(report), `Lambda-Runtime-Function-Error-Type: ${headerSafe(report.errorType)}\r\n`);
}

const headerSafe = (text) => String(text).replace(/[^\x20-\x7e]/g, '?');

// describe makes the document that reports an error.
function describe(error) {
  if (error instanceof Error || (error && typeof error === 'object' && 'message' in error && 'name' in error)) {
    return {
      errorType: String(error.name),
      errorMessage: String(error.message),
      trace: String(error.stack || '').split('\n'),
    };
  }
  return {
    errorType: typeof error,
    errorMessage: error === undefined || error === null ? String(error) : error.toString(),
    trace: [],
  };
}

function writeEvent(text) {
  process.stdout.write(text.replace(/\n/g, lineJoint) + '\n');
}

function patchConsole() {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...args) => logAt(level, util.format(...args));
  }
}

function logAt(level, text) {
  writeEvent(`${new Date().toISOString()}\t${requestId || 'undefined'}\t${level}\t${text}`);
}

function logError(what, error) {
  const { trace, ...report } = describe(error);
  const extra = error instanceof Error ? Object.fromEntries(Object.entries(error)) : {};
  delete extra.name;
  logAt('ERROR', `${what} \t${toJSON({ ...report, ...extra, stack: trace })}`);
}

function toJSON(value) {
  try {
    return JSON.stringify(value);
  } catch (e) {
    return JSON.stringify(describe(e));
  }
}

function isModulePackage(folder, root) {
  for (let dir = folder; dir.startsWith(root); dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type === 'module';
    } catch (e) {
      if (e.code !== 'ENOENT') {
        throw e;
      }
    }
  }
  return false;
}

async function loadModule(root, name) {
  const base = path.resolve(root, name);
  const require = createRequire(path.join(root, 'index.js'));
  const has = (suffix) => fs.existsSync(base + suffix) && fs.statSync(base + suffix).isFile();
  if (has('')) {
    return require(base);
  }
  if (has('.js')) {
    const file = base + '.js';
    return isModulePackage(path.dirname(file), root) ? import(pathToFileURL(file).href) : require(file);
  }
  if (has('.mjs')) {
    return import(pathToFileURL(base + '.mjs').href);
  }
  if (has('.cjs')) {
    return require(base + '.cjs');
  }
  return require(require.resolve(name, { paths: [root, process.cwd()] }));
}

// remedy says what to do about a missing SDK.
function remedy(message) {
  const [, release] = /nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV || '') || [];
  const old = Number(release) < 18;
  if (/'aws-sdk['/]/.test(message) && !old) {
    return '\nnodejs18.x and later do not include version 2 of the AWS SDK: use @aws-sdk/*, or put aws-sdk into the package';
  }
  if (/'(aws-sdk['/]|@aws-sdk\/|@smithy\/)/.test(message)) {
    return '\nThe AWS SDK for JavaScript is not on this machine: run "weir runtimes install node"';
  }
  return '';
}

// explain words a failure to load a module.
function explain(error, name) {
  if (error instanceof SyntaxError) {
    return new Fault('Runtime.UserCodeSyntaxError', `${error.name}: ${error.message}`, error);
  }
  if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
    return new Fault('Runtime.ImportModuleError', `Error: ${error.message}${remedy(error.message)}`, error);
  }
  return error;
}

async function loadHandler(root, spec) {
  const base = path.basename(spec);
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (!match || spec.includes('..')) {
    throw new Fault('Runtime.MalformedHandlerName', match ? `'${spec}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.` : 'Bad handler');
  }
  const name = path.join(path.dirname(spec), match[1]);
  let found;
  try {
    found = await loadModule(root, name);
  } catch (e) {
    throw explain(e, name);
  }
  const resolve = (from) => match[2].split('.').reduce((o, key) => (o === undefined || o === null ? undefined : o[key]), from);
  const handler = resolve(found) || resolve(found && found.default);
  if (!handler) {
    throw new Fault('Runtime.HandlerNotFound', `${spec} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw new Fault('Runtime.HandlerNotFound', `${spec} is not a function`);
  }
  return handler;
}

function contextOf(headers) {
  const deadline = parseInt(headers['lambda-runtime-deadline-ms'], 10);
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse(headers['lambda-runtime-client-context']),
    identity: parse(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// runHandler calls a handler, which may return a promise or use a callback, and
// settles when its result counts: a promise at once, a callback when the event
// loop is empty unless the context says otherwise.
//
// No closure captures the event. They live on for some invocations, and with each
// an event that every collection of young objects would then have to copy.
function runHandler(handler, event, context) {
  const { finish, settled } = expectResult(context);
  let returned;
  try {
    returned = handler(event, context, (error, result) => finish(error, result, false));
  } catch (e) {
    finish(e, undefined, true);
    return settled;
  }
  if (returned && typeof returned.then === 'function') {
    returned.then((result) => finish(null, result, true), (e) => finish(e === undefined || e === null ? 'unknown' : e, undefined, true));
  }
  return settled;
}

function expectResult(context) {
  let finish;
  const settled = new Promise((resolve, reject) => {
    finish = (error, result, atOnce) => {
      const settle = () => (error === undefined || error === null ? resolve(result) : reject(error));
      if (atOnce || !context.callbackWaitsForEmptyEventLoop) {
        settle();
        return;
      }
      onEmptyLoop = settle;
    };
    // A handler that neither answers nor leaves anything to wait for.
    onEmptyLoop = () => resolve(null);
  });
  context.done = (error, result) => finish(error, result, false);
  context.succeed = (result) => finish(null, result, false);
  context.fail = (error) => finish(error === undefined || error === null ? 'handled' : error, undefined, false);
  return { finish, settled };
}

let onEmptyLoop = null;

process.on('beforeExit', () => {
  const settle = onEmptyLoop;
  onEmptyLoop = null;
  if (settle) {
    setImmediate(settle);
  }
});

async function die(what, error, code) {
  logError(what, error);
  try {
    await postError(requestId ? `invocation/${requestId}/error` : 'init/error', error);
  } finally {
    process.exit(code);
  }
}

process.on('uncaughtException', (error) => die('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason) => {
  const error = new Fault('Runtime.UnhandledPromiseRejection', String(reason), reason instanceof Error ? reason : undefined);
  error.reason = reason;
  return die('Unhandled Promise Rejection', error, 128);
});

async function handleOne(handler) {
  const { headers, text: event } = await runtime.request('GET', 'invocation/next', '', '');
  requestId = headers['lambda-runtime-aws-request-id'];
  env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] || '';
  let text;
  try {
    const result = await runHandler(handler, JSON.parse(event), contextOf(headers));
    text = encode(result);
  } catch (error) {
    logError('Invoke Error', error);
    await postError(`invocation/${requestId}/error`, error);
    return;
  } finally {
    onEmptyLoop = null;
  }
  await post(`invocation/${requestId}/response`, text);
}

function encode(result) {
  try {
    const text = JSON.stringify(result === undefined ? null : result);
    return text === undefined ? 'null' : text;
  } catch (e) {
    throw new Fault('Runtime.MarshalError', `Unable to stringify response body: ${e.message}`, e);
  }
}

async function main() {
  patchConsole();
  let handler;
  try {
    handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    logError('Uncaught Exception', error);
    await postError('init/error', error);
    process.exit(1);
  }
  for (;;) {
    await handleOne(handler);
  }
}

main();
