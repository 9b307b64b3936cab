# MaximumRetryAttempts: one attempt and so many more, then the batch is given up.
create batch=2 retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=2 window=0 "No records processed"

function fail
----
nothing

put s0 a b
----
     0.0s fail s0 [a b]
     0.0s report s0 to dead
{"requestContext":{"requestId":"request-1","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49001","endSequenceNumber":"49002","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

update retries=1
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

put s0 c
----
     0.0s fail s0 [c]

advance 1s
----
     0.2s fail s0 [c]
     0.2s report s0 to dead
{"requestContext":{"requestId":"request-3","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49003","endSequenceNumber":"49003","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

update retries=3
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

put s0 d
----
     1.0s fail s0 [d]

advance 10s
----
     1.2s fail s0 [d]
     1.6s fail s0 [d]
     2.4s fail s0 [d]
     2.4s report s0 to dead
{"requestContext":{"requestId":"request-7","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":4},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:02.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49004","endSequenceNumber":"49004","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Without a destination it is dropped silently, and the shard goes on.
update retries=1 destination=
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

put s0 e
----
    11.0s fail s0 [e]

advance 1s
----
    11.2s fail s0 [e]

show
----
Enabled batch=2 window=0 "PROBLEM: Function call failed"
s0 waiting next=6 attempts=2 function error Unhandled: no discarded=1 lost=0

# -1: until the record expires.
update retries=-1
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

put s0 f
----
    12.0s fail s0 [f]

advance 1h
----
    12.2s fail s0 [f]
    12.6s fail s0 [f]
    13.4s fail s0 [f]
    15.0s fail s0 [f]
    18.2s fail s0 [f]
    24.6s fail s0 [f]
    37.4s fail s0 [f]
    63.0s fail s0 [f]
          ... 116 more
  3573.0s fail s0 [f]
  3603.0s fail s0 [f]

function ok
----
nothing

advance 1m
----
  3633.0s ok s0 [f]

# A timeout and a crash are failures of the function like an exception.
update retries=1 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Updating batch=2 window=0 "OK"

function hang
----
nothing

put s0 g
----
  3672.0s hang s0 [g]

advance 1s
----
  3672.2s hang s0 [g]
  3672.2s report s0 to dead
{"requestContext":{"requestId":"request-139","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T01:01:12.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49007","endSequenceNumber":"49007","approximateArrivalOfFirstRecord":"2000-01-01T01:01:12.000Z","approximateArrivalOfLastRecord":"2000-01-01T01:01:12.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

function crash
----
nothing

put s0 h
----
  3673.0s crash s0 [h]

advance 1s
----
  3673.2s crash s0 [h]
  3673.2s report s0 to dead
{"requestContext":{"requestId":"request-141","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T01:01:13.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49008","endSequenceNumber":"49008","approximateArrivalOfFirstRecord":"2000-01-01T01:01:13.000Z","approximateArrivalOfLastRecord":"2000-01-01T01:01:13.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Throttles, and a function that cannot be called, use no attempt.
update retries=0
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

function throttled 5
----
nothing

put s0 i
----
  3674.0s throttled s0 [i]

advance 10s
----
  3674.2s throttled s0 [i]
  3674.6s throttled s0 [i]
  3675.4s throttled s0 [i]
  3676.4s throttled s0 [i]
  3677.4s crash s0 [i]
  3677.4s report s0 to dead
{"requestContext":{"requestId":"request-142","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T01:01:17.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49009","endSequenceNumber":"49009","approximateArrivalOfFirstRecord":"2000-01-01T01:01:14.000Z","approximateArrivalOfLastRecord":"2000-01-01T01:01:14.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

function missing 3
----
nothing

put s0 j
----
  3684.0s missing s0 [j]

advance 10s
----
  3684.2s missing s0 [j]
  3684.6s missing s0 [j]
  3685.4s crash s0 [j]
  3685.4s report s0 to dead
{"requestContext":{"requestId":"request-143","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T01:01:25.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490010","endSequenceNumber":"490010","approximateArrivalOfFirstRecord":"2000-01-01T01:01:24.000Z","approximateArrivalOfLastRecord":"2000-01-01T01:01:24.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

function refused 3
----
nothing

put s0 k
----
  3694.0s refused s0 [k]

advance 10s
----
  3694.2s refused s0 [k]
  3694.6s refused s0 [k]
  3695.4s crash s0 [k]
  3695.4s report s0 to dead
{"requestContext":{"requestId":"request-144","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T01:01:35.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490011","endSequenceNumber":"490011","approximateArrivalOfFirstRecord":"2000-01-01T01:01:34.000Z","approximateArrivalOfLastRecord":"2000-01-01T01:01:34.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
