// Code generated from the types of internal/console; DO NOT EDIT.

export interface ServerInfo {
  version: string;
  started: string;
  address: string;
  region: string;
  account: string;
  dataDir: string;
  dataBytes: number;
  smtp: string;
}

export interface StreamView {
  name: string;
  arn: string;
  status: string;
  shards: number;
  retentionHours: number;
  created?: string;
  records: number;
  bytes: number;
  recordsPerSecond: number;
  bytesPerSecond: number;
}

export interface FunctionView {
  name: string;
  arn: string;
  runtime: string;
  handler: string;
  description?: string;
  state: string;
  memoryMB: number;
  timeoutSeconds: number;
  codeBytes: number;
  modified?: string;
  invocations: number;
  errors: number;
  throttles: number;
  p50: number;
  p99: number;
  concurrency: number;
  lastError?: FunctionFail;
  invocationsPerSecond: number;
  errorsPerSecond: number;
}

export interface FunctionFail {
  time: string;
  requestId: string;
  message: string;
}

export interface TableView {
  name: string;
  arn: string;
  status: string;
  hashKey: KeyAttribute;
  rangeKey?: KeyAttribute;
  items: number;
  bytes: number;
  streamView: string;
  created?: string;
  reads: number;
  writes: number;
  writesPerSecond: number;
  readsPerSecond: number;
}

export interface KeyAttribute {
  name: string;
  type: string;
}

export interface MappingView {
  uuid: string;
  source: string;
  sourceKind: string;
  sourceName: string;
  function: string;
  functionArn: string;
  state: string;
  lastResult: string;
  modified?: string;
  startingPosition: string;
  batchSize: number;
  windowSeconds: number;
  tumblingWindow: number;
  factor: number;
  recordAge: number;
  retryLimit: number;
  bisect: boolean;
  reportFailures: boolean;
  onFailure: string;
  filters?: string[];
  iteratorAgeMs: number;
  records: number;
  lanes?: Record<string, number>;
  problem?: string;
  recordsPerSecond: number;
}

export interface MappingShard {
  shard: string;
  lane: number;
  activity: string;
  problem?: string;
  attempts: number;
  behindMs: number;
  invocations: number;
  records: number;
  lastBatch: number;
  lastMs: number;
  averageMs: number;
  retries: number;
  conflicts: number;
  discarded: number;
  lost: number;
  window?: MappingWindow;
}

export interface MappingWindow {
  start: string;
  end: string;
  stateBytes: number;
}

export interface Alarm {
  name: string;
  arn: string;
  description?: string;
  state: string;
  reason: string;
  since: string;
  namespace: string;
  metric: string;
  dimensions?: Dimension[];
  statistic: string;
  periodSeconds: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  comparison: string;
  threshold: number;
  treatMissing: string;
  actionsEnabled: boolean;
  alarmActions?: string[];
  okActions?: string[];
  noDataActions?: string[];
}

export interface Dimension {
  name: string;
  value: string;
}

export interface AlarmEvent {
  time: string;
  kind: string;
  summary: string;
  data?: string;
}

export interface Topic {
  name: string;
  arn: string;
  subscriptions?: Subscription[];
}

export interface Subscription {
  protocol: string;
  endpoint: string;
  confirmed: boolean;
}

export interface Stack {
  name: string;
  description?: string;
  status: string;
  reason?: string;
  created?: string;
  updated?: string;
  resources: number;
}

export interface StackDetail {
  name: string;
  description?: string;
  status: string;
  reason?: string;
  created?: string;
  updated?: string;
  resources: number;
  parameters?: StackValue[];
  outputs?: StackValue[];
  imports?: StackImport[];
  members?: StackResource[];
  events?: StackEvent[];
}

export interface StackValue {
  key: string;
  value: string;
  description?: string;
  export?: string;
  importedBy?: string[];
}

export interface StackImport {
  export: string;
  from?: string;
}

export interface StackResource {
  logicalId: string;
  physicalId: string;
  type: string;
  status: string;
  updated?: string;
}

export interface StackEvent {
  time: string;
  logicalId: string;
  type: string;
  status: string;
  reason?: string;
}

export interface Dashboard {
  name: string;
  modified: string;
  bytes: number;
}

export interface DashboardDetail {
  name: string;
  body: string;
}

export interface MailSummary {
  total: number;
  newest?: string;
}

export interface MailPage {
  mails: Mail[];
  total: number;
  next?: string;
}

export interface Mail {
  id: string;
  time: string;
  from: string;
  to: string;
  subject: string;
  preview?: string;
}

export interface MailDetail {
  id: string;
  time: string;
  from: string;
  to: string;
  subject: string;
  preview?: string;
  body: string;
}

export interface ItemPage {
  items: unknown[];
  next?: string;
}

export interface LogEvent {
  id: string;
  time: string;
  stream: string;
  message: string;
}

export interface LogUpdate {
  function: string;
  reset?: boolean;
  events: LogEvent[];
  skipped?: number;
  error?: string;
}

export interface MetricQueries {
  start: number;
  end: number;
  queries: MetricQuery[];
}

export interface MetricQuery {
  id: string;
  namespace?: string;
  metric?: string;
  dimensions?: Dimension[];
  statistic?: string;
  period: number;
  expression?: string;
  label?: string;
  hidden?: boolean;
}

export interface MetricResult {
  id: string;
  label: string;
  unit?: string;
  times: number[];
  values: number[];
  error?: string;
}

export interface Update {
  step: number;
  full?: boolean;
  put?: Record<string, Record<string, unknown>>;
  gone?: Record<string, string[]>;
  points?: Record<string, Record<string, [number, number][]>>;
}
