// What the pages say when there is nothing to show: what to do next.
import { live } from "../live";
import { Command, Empty } from "../ui/parts";

export function endpointFlag(): string {
  return "--endpoint-url " + (live.value.server?.address ?? location.origin);
}

// usual is where the command line looks for a server unless it is told.
const usual = "http://127.0.0.1:4566";

// weir is a command for this server.
export function weir(command: string): string {
  const address = live.value.server?.address ?? location.origin;
  return `weir ${command}` + (address === usual ? "" : ` --endpoint ${address}`);
}

export function NoStreams(props: { small?: boolean }) {
  return (
    <Empty title="No streams yet" small={props.small}>
      <div class="commands">
        <Command text={`aws ${endpointFlag()} kinesis create-stream --stream-name events --shard-count 2`} />
        {!props.small && <Command about="Then put events into it, one JSON object per line" text={weir("put events events.jsonl")} />}
      </div>
    </Empty>
  );
}

export function NoTables(props: { small?: boolean }) {
  return (
    <Empty title="No tables yet" small={props.small}>
      <div class="commands">
        <Command text={`aws ${endpointFlag()} dynamodb create-table --table-name counters --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=Name,AttributeType=S --key-schema AttributeName=Name,KeyType=HASH`} />
      </div>
    </Empty>
  );
}

export function NoFunctions(props: { small?: boolean }) {
  return (
    <Empty title="No functions yet" small={props.small}>
      {!props.small && <p>Functions come with an application's template, or one by one as a zip through the Lambda API.</p>}
      <div class="commands">
        <Command text={weir("deploy template.yaml")} />
      </div>
    </Empty>
  );
}

export function NoMappings(props: { small?: boolean }) {
  return (
    <Empty title="No function reads a stream yet" small={props.small}>
      <div class="commands">
        <Command text={`aws ${endpointFlag()} lambda create-event-source-mapping --function-name NAME --event-source-arn ARN --starting-position TRIM_HORIZON --batch-size 300`} />
      </div>
    </Empty>
  );
}

export function NoAlarms(props: { small?: boolean }) {
  return (
    <Empty title="No alarms yet" small={props.small}>
      <div class="commands">
        <Command text={`aws ${endpointFlag()} cloudwatch put-metric-alarm --alarm-name function-errors --namespace AWS/Lambda --metric-name Errors --statistic Sum --period 60 --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold`} />
      </div>
    </Empty>
  );
}

export function NoDashboards() {
  return (
    <Empty title="No dashboards yet">
      <p>A dashboard is a CloudWatch dashboard: declare an AWS::CloudWatch::Dashboard in a template, or put its JSON body.</p>
      <div class="commands">
        <Command text={`aws ${endpointFlag()} cloudwatch put-dashboard --dashboard-name main --dashboard-body '{"start":"-PT3H","widgets":[{"type":"metric","width":24,"height":6,"properties":{"region":"us-east-1","title":"Invocations","stat":"Sum","period":60,"metrics":[["AWS/Lambda","Invocations"]]}}]}'`} />
      </div>
    </Empty>
  );
}

export function NoMail() {
  return (
    <Empty title="No mail yet">
      <p>Mail that topics send lands here as long as Weir runs without an SMTP server. Subscribe an address; its confirmation is the first mail.</p>
      <div class="commands">
        <Command about="A topic" text={`aws ${endpointFlag()} sns create-topic --name alerts`} />
        <Command about="A subscription"
          text={`aws ${endpointFlag()} sns subscribe --topic-arn arn:aws:sns:${live.value.server?.region ?? "us-east-1"}:${live.value.server?.account ?? "000000000000"}:alerts --protocol email --notification-endpoint you@example.com`} />
      </div>
    </Empty>
  );
}

export function NoStacks() {
  return (
    <Empty title="No stacks yet">
      <p>A stack is what one template declares: streams, functions, tables, alarms, deployed, updated and removed together.</p>
      <div class="commands">
        <Command text={weir("deploy template.yaml --stack-name my-app")} />
      </div>
    </Empty>
  );
}
