# Versions and aliases have settings of their own, and the record tells which
# version ran.
publish
----
ok

alias live 1
----
ok

config retries=0 on-failure=arn:aws:sqs:us-east-1:000000000000:latest
----
+0s f:$LATEST retries=0 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:latest"

config qualifier=live retries=1 on-failure=arn:aws:sqs:us-east-1:000000000000:live
----
+0s f:live retries=1 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:live"

config qualifier=2 retries=1
----
The function doesn't exist.

list
----
+0s f:$LATEST retries=0 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:latest"
+0s f:live retries=1 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:live"

answers error
----
ok

invoke qualifier=live
{}
----
+0s run {}: error

advance 10m
----
+1m0s run {}: error
+1m0s send to arn:aws:sqs:us-east-1:000000000000:live: {"version":"1.0","timestamp":"2000-01-01T00:01:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RetriesExhausted","approximateInvokeCount":2},"requestPayload":{},"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

invoke
{}
----
+10m0s run {}: error
+10m0s send to arn:aws:sqs:us-east-1:000000000000:latest: {"version":"1.0","timestamp":"2000-01-01T00:10:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},"requestPayload":{},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

# A version has none unless it is given some.
invoke qualifier=1
{}
----
+10m0s run {}: error

advance 10m
----
+11m0s run {}: error
+13m0s run {}: error

invoke qualifier=gone
{}
----
Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:gone

# An alias takes its settings, and what waits for it, away with it.
invoke qualifier=live
{}
----
+20m0s run {}: error

delete-alias live
----
ok

list
----
+20m0s f:$LATEST retries=0 age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:latest"

advance 10m
----
ok

metrics
----
+30m0s AsyncEventAge: 7 values, sum 300000
+30m0s AsyncEventsDropped: 4 values, sum 4
+30m0s AsyncEventsReceived: 4 values, sum 4
+30m0s DeadLetterErrors: 0 values, sum 0
+30m0s DestinationDeliveryFailures: 0 values, sum 0
