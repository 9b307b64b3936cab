# A record that its target would refuse comes without the payloads.
config on-success=arn:aws:sns:us-east-1:000000000000:done
----
+0s f:$LATEST retries=default age=default on-success="arn:aws:sns:us-east-1:000000000000:done" on-failure=""

invoke
bytes 250000
----
+0s run 250000 bytes: ok
+0s send to arn:aws:sns:us-east-1:000000000000:done: 250366 bytes

invoke
bytes 262144
----
+0s run 262144 bytes: ok
+0s send to arn:aws:sns:us-east-1:000000000000:done: {"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"Success","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"}}

config on-success=arn:aws:sqs:us-east-1:000000000000:done
----
+0s f:$LATEST retries=default age=default on-success="arn:aws:sqs:us-east-1:000000000000:done" on-failure=""

invoke
bytes 1048576
----
+0s run 1048576 bytes: ok
+0s send to arn:aws:sqs:us-east-1:000000000000:done: {"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"Success","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"}}

invoke
bytes 1048577
----
1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)
