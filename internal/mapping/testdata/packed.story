# Records that a producer packed into one share its sequence number. The batch size
# goes by them, and so does the checkpoint, also in the middle of what was packed.
create batch=2 retries=1 report destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=2 window=0 "No records processed"

function poison=d
----
nothing

put s0 packed a b c d e
----
     0.0s ok s0 [a b]
     0.0s fail s0 [c d]

crash
----
     0.0s fail s0 [c d]

advance 200ms
----
     0.2s fail s0 [c d]
     0.2s report s0 to dead
{"requestContext":{"requestId":"request-4","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49001","endSequenceNumber":"49001","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
     0.2s ok s0 [e]

# A failure that is reported by the number means all of them.
function poison=h reports
----
nothing

update batch=10
----
Updating batch=2 window=0 "OK"

put s0 packed f g h i
----
     0.2s partly(1) s0 [f g h i]

advance 1s
----
     0.4s partly(1) s0 [f g h i]
     0.4s report s0 to dead
{"requestContext":{"requestId":"request-7","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:00:00.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49002","endSequenceNumber":"49002","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.200Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.200Z","batchSize":4,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# In lanes each goes by its own key.
function ok
----
nothing

update factor=4 batch=1
----
Updating batch=10 window=0 "PROBLEM: Function call failed"

put s0 packed a/1 b/1 c/1 a/2 b/2 c/2
----
     1.2s ok s0 [a/1]
     1.2s ok s0 [a/2]
     1.2s ok s0 [b/1]
     1.2s ok s0 [b/2]
     1.2s ok s0 [c/1]
     1.2s ok s0 [c/2]

# Filters see each of them.
update factor=1 batch=10 filters
{"data":{"n":[1]}}
----
Updating batch=1 window=0 "OK"

put s0 packed {"n":1} {"n":2} {"n":1}
----
     1.2s ok s0 [{"n":1} {"n":1}]
