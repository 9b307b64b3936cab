# The age of an event bounds its retries: here the second one would come too late.
config age=120 on-failure=arn:aws:s3:::lost
----
+0s f:$LATEST retries=default age=120 on-success="" on-failure="arn:aws:s3:::lost"

answers error
----
ok

invoke
{}
----
+0s run {}: error

advance 1h
----
+1m0s run {}: error
+1m0s send to arn:aws:s3:::lost: {"version":"1.0","timestamp":"2000-01-01T00:01:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"EventAgeExceeded","approximateInvokeCount":2},"requestPayload":{},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}
  key aws/lambda/async/f/2000/01/01/2000-01-01T00.01.00-UUID

# The first one would come too late.
config age=60 on-failure=arn:aws:s3:::lost
----
+1h0m0s f:$LATEST retries=default age=60 on-success="" on-failure="arn:aws:s3:::lost"

invoke
{}
----
+1h0m0s run {}: error
+1h0m0s send to arn:aws:s3:::lost: {"version":"1.0","timestamp":"2000-01-01T01:00:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"EventAgeExceeded","approximateInvokeCount":1},"requestPayload":{},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no luck","errorType":"Exception"}}
  key aws/lambda/async/f/2000/01/01/2000-01-01T01.00.00-UUID

advance 1h
----
ok

# Throttled invocations are tried again with growing pauses until the event is too
# old, and leave nothing of the function in the record.
answers throttled
----
ok

config age=600 on-failure=arn:aws:s3:::lost
----
+2h0m0s f:$LATEST retries=default age=600 on-success="" on-failure="arn:aws:s3:::lost"

invoke
{}
----
+2h0m0s run {}: throttled

advance 30m
----
+2h0m1s run {}: throttled
+2h0m3s run {}: throttled
+2h0m7s run {}: throttled
+2h0m15s run {}: throttled
+2h0m31s run {}: throttled
+2h1m3s run {}: throttled
+2h2m7s run {}: throttled
+2h4m15s run {}: throttled
+2h8m31s run {}: throttled
+2h8m31s send to arn:aws:s3:::lost: {"version":"1.0","timestamp":"2000-01-01T02:08:31.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"EventAgeExceeded","approximateInvokeCount":0},"requestPayload":{}}
  key aws/lambda/async/f/2000/01/01/2000-01-01T02.08.31-UUID

metrics
----
+2h30m0s AsyncEventAge: 13 values, sum 1.073e+06
+2h30m0s AsyncEventsDropped: 3 values, sum 3
+2h30m0s AsyncEventsReceived: 3 values, sum 3
+2h30m0s DeadLetterErrors: 0 values, sum 0
+2h30m0s DestinationDeliveryFailures: 0 values, sum 0
