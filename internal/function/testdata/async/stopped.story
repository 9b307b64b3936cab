# A function with no concurrency at all is not waited for.
reserve 0
----
ok

config on-failure=arn:aws:sqs:us-east-1:000000000000:lost
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

dead-letter arn:aws:sns:us-east-1:000000000000:dead
----
ok

invoke
{"a": 1}
----
+0s send to arn:aws:sns:us-east-1:000000000000:dead: {"a": 1}
  attributes {"ErrorCode":"429","ErrorMessage":"Rate Exceeded.","RequestID":"UUID"}
+0s send to arn:aws:sqs:us-east-1:000000000000:lost: {"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"ZeroReservedConcurrency","approximateInvokeCount":0},"requestPayload":{"a":1}}

metrics
----
+0s AsyncEventAge: 1 values, sum 0
+0s AsyncEventsDropped: 1 values, sum 1
+0s AsyncEventsReceived: 1 values, sum 1
+0s DeadLetterErrors: 0 values, sum 0
+0s DestinationDeliveryFailures: 0 values, sum 0
