# A function that fails is tried again after one and after two more minutes, and
# the record of it lands at the destination once.
config on-failure=arn:aws:sqs:us-east-1:000000000000:lost on-success=arn:aws:sns:us-east-1:000000000000:done
----
+0s f:$LATEST retries=default age=default on-success="arn:aws:sns:us-east-1:000000000000:done" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

answers error
----
ok

invoke
{"n": 1, "html": "<a&b>"}
----
+0s run {"n": 1, "html": "<a&b>"}: error

advance 59s
----
ok

advance 1s
----
+1m0s run {"n": 1, "html": "<a&b>"}: error

advance 10m
----
+3m0s run {"n": 1, "html": "<a&b>"}: error
+3m0s send to arn:aws:sqs:us-east-1:000000000000:lost: {"version":"1.0","timestamp":"2000-01-01T00:03:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"n":1,"html":"<a&b>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

metrics
----
+11m0s AsyncEventAge: 3 values, sum 240000
+11m0s AsyncEventsDropped: 1 values, sum 1
+11m0s AsyncEventsReceived: 1 values, sum 1
+11m0s DeadLetterErrors: 0 values, sum 0
+11m0s DestinationDeliveryFailures: 0 values, sum 0

# One that succeeds at last is a success.
answers error ok
----
ok

invoke
{"n": 2}
----
+11m0s run {"n": 2}: error

advance 10m
----
+12m0s run {"n": 2}: ok
+12m0s send to arn:aws:sns:us-east-1:000000000000:done: {"version":"1.0","timestamp":"2000-01-01T00:12:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"Success","approximateInvokeCount":2},"requestPayload":{"n":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"done":"<all>"}}

# Without retries.
update retries=0
----
+21m0s f:$LATEST retries=0 age=default on-success="arn:aws:sns:us-east-1:000000000000:done" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

answers error
----
ok

invoke
----
+21m0s run {}: error
+21m0s send to arn:aws:sqs:us-east-1:000000000000:lost: {"version":"1.0","timestamp":"2000-01-01T00:21:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":1},"requestPayload":{},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

advance 1h
----
ok
