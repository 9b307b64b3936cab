package stream;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.KinesisEvent;
import com.amazonaws.services.lambda.runtime.events.StreamsEventResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Counts the records of a stream by their data in the table counters. */
public class Count implements RequestHandler<KinesisEvent, StreamsEventResponse> {
    private final DynamoDbClient table = DynamoDbClient.builder().httpClient(UrlConnectionHttpClient.create()).build();

    @Override
    public StreamsEventResponse handleRequest(KinesisEvent event, Context context) {
        Map<String, Integer> counts = new HashMap<>();
        for (KinesisEvent.KinesisEventRecord record : event.getRecords()) {
            counts.merge(StandardCharsets.UTF_8.decode(record.getKinesis().getData()).toString(), 1, Integer::sum);
        }
        counts.forEach((word, n) -> table.updateItem(request -> request
                .tableName("counters")
                .key(Map.of("word", AttributeValue.fromS(word)))
                .updateExpression("ADD n :n")
                .expressionAttributeValues(Map.of(":n", AttributeValue.fromN(n.toString())))));
        return StreamsEventResponse.builder().withBatchItemFailures(List.of()).build();
    }
}
