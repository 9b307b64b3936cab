dead-letter arn:aws:kinesis:us-east-1:000000000000:stream/s
----
The dead-letter target arn:aws:kinesis:us-east-1:000000000000:stream/s is invalid: it must be the ARN of a queue or a topic.

dead-letter arn:aws:sqs:us-east-1:000000000000:dead
----
ok

config retries=0
----
+0s f:$LATEST retries=0 age=default on-success="" on-failure=""

answers ok error
----
ok

invoke
{"fine": true}
----
+0s run {"fine": true}: ok

invoke
{"fine": false}
----
+0s run {"fine": false}: error
+0s send to arn:aws:sqs:us-east-1:000000000000:dead: {"fine": false}
  attributes {"ErrorCode":"200","ErrorMessage":"no luck","RequestID":"UUID"}

# Both the dead letters and the destination get what failed.
update on-failure=arn:aws:lambda:us-east-1:000000000000:function:g
----
The destination ARN arn:aws:lambda:us-east-1:000000000000:function:g is invalid.

config retries=0 on-failure=arn:aws:sqs:us-east-1:000000000000:lost
----
+0s f:$LATEST retries=0 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

invoke
{"fine": false}
----
+0s run {"fine": false}: error
+0s send to arn:aws:sqs:us-east-1:000000000000:dead: {"fine": false}
  attributes {"ErrorCode":"200","ErrorMessage":"no luck","RequestID":"UUID"}
+0s send to arn:aws:sqs:us-east-1:000000000000:lost: {"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},"requestPayload":{"fine":false},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

# A target that is down is tried again; one that refuses is not.
target arn:aws:sqs:us-east-1:000000000000:dead down
----
ok

target arn:aws:sqs:us-east-1:000000000000:lost refuses
----
ok

invoke
{"fine": false}
----
+0s run {"fine": false}: error
+0s send to arn:aws:sqs:us-east-1:000000000000:dead: out of order
+0s send to arn:aws:sqs:us-east-1:000000000000:lost: no such target: undeliverable

advance 5s
----
+1s send to arn:aws:sqs:us-east-1:000000000000:dead: out of order
+3s send to arn:aws:sqs:us-east-1:000000000000:dead: out of order

target arn:aws:sqs:us-east-1:000000000000:dead ok
----
ok

advance 5s
----
+7s send to arn:aws:sqs:us-east-1:000000000000:dead: {"fine": false}
  attributes {"ErrorCode":"200","ErrorMessage":"no luck","RequestID":"UUID"}

metrics
----
+10s AsyncEventAge: 4 values, sum 0
+10s AsyncEventsDropped: 3 values, sum 3
+10s AsyncEventsReceived: 4 values, sum 4
+10s DeadLetterErrors: 0 values, sum 0
+10s DestinationDeliveryFailures: 1 values, sum 1

# One that stays down is given up after six hours.
target arn:aws:sqs:us-east-1:000000000000:dead dead
----
ok

config retries=0
----
+10s f:$LATEST retries=0 age=default on-success="" on-failure=""

invoke
{}
----
+10s run {}: error

restart
----
ok

advance 5h50m
----
ok

metrics
----
+5h50m10s AsyncEventAge: 5 values, sum 0
+5h50m10s AsyncEventsDropped: 4 values, sum 4
+5h50m10s AsyncEventsReceived: 5 values, sum 5
+5h50m10s DeadLetterErrors: 0 values, sum 0
+5h50m10s DestinationDeliveryFailures: 1 values, sum 1

advance 10m
----
ok

metrics
----
+6h0m10s AsyncEventAge: 5 values, sum 0
+6h0m10s AsyncEventsDropped: 4 values, sum 4
+6h0m10s AsyncEventsReceived: 5 values, sum 5
+6h0m10s DeadLetterErrors: 1 values, sum 1
+6h0m10s DestinationDeliveryFailures: 1 values, sum 1

target arn:aws:sqs:us-east-1:000000000000:dead ok
----
ok

advance 10m
----
ok
