# What was accepted survives a restart: an event that waits for its retry keeps
# its count and its time, one that was running runs again, and so does one whose
# record could not be delivered yet.
config on-failure=arn:aws:sqs:us-east-1:000000000000:lost
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

answers error error 1h ok
----
ok

invoke
{"waits": true}
----
+0s run {"waits": true}: error

advance 1m
----
+1m0s run {"waits": true}: error

invoke
{"runs": true}
----
+1m0s run {"runs": true}: 1h

restart
----
+1m0s run {"runs": true}: ok

target arn:aws:sqs:us-east-1:000000000000:lost down
----
ok

answers error
----
ok

advance 2m
----
+3m0s run {"waits": true}: error
+3m0s send to arn:aws:sqs:us-east-1:000000000000:lost: out of order

restart
----
+3m0s send to arn:aws:sqs:us-east-1:000000000000:lost: out of order

target arn:aws:sqs:us-east-1:000000000000:lost ok
----
ok

advance 1m
----
+3m1s send to arn:aws:sqs:us-east-1:000000000000:lost: {"version":"1.0","timestamp":"2000-01-01T00:03:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"waits":true},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}

advance 10m
----
ok

restart
----
ok
