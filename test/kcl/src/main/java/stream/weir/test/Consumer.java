package stream.weir.test;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;

/** Follows a stream with the Kinesis Client Library and prints what it gets. */
public final class Consumer {
  private Consumer() {}

  public static void main(String[] args) throws Exception {
    URI endpoint = URI.create(args[0]);
    String stream = args[1];
    var configs = new ConfigsBuilder(stream, "kcl-" + stream,
        at(endpoint, KinesisAsyncClient.builder()).build(), at(endpoint, DynamoDbAsyncClient.builder()).build(),
        at(endpoint, CloudWatchAsyncClient.builder()).build(), UUID.randomUUID().toString(), Processor::new);
    var scheduler = new Scheduler(configs.checkpointConfig(), configs.coordinatorConfig(),
        configs.leaseManagementConfig().shardSyncIntervalMillis(2000).failoverTimeMillis(5000),
        configs.lifecycleConfig(), configs.metricsConfig(), configs.processorConfig(),
        configs.retrievalConfig().initialPositionInStreamExtended(
            InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON)));
    new Thread(scheduler, "scheduler").start();
    while (System.in.read() >= 0) { // until the one who started this closes it
    }
    System.exit(0); // without a word to anyone, as when a worker is lost
  }

  private static <B extends AwsClientBuilder<B, ?>> B at(URI endpoint, B builder) {
    return builder.endpointOverride(endpoint).region(Region.US_EAST_1)
        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")));
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      System.out.println("begin " + shard);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      input.records().forEach(r -> System.out.println("record " + shard + " " + r.partitionKey() + " "
          + r.subSequenceNumber() + " " + StandardCharsets.UTF_8.decode(r.data())));
      checkpoint(input.checkpointer()::checkpoint);
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shardEnded(ShardEndedInput input) {
      checkpoint(input.checkpointer()::checkpoint);
      System.out.println("end " + shard);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {}

    private interface Step {
      void run() throws Exception;
    }

    private static void checkpoint(Step step) {
      try {
        step.run();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
