# BisectBatchOnFunctionError: a batch that fails is cut in two, the first half
# first; a half that fails is cut again. Splitting uses no attempt of the retry
# limit: a single record has all of them, the others are sent once more.
create batch=8 bisect retries=1 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=8 window=0 "No records processed"

function poison=f
----
nothing

put s0 a b c d e f g h
----
     0.0s fail s0 [a b c d e f g h]
     0.0s ok s0 [a b c d]
     0.0s fail s0 [e f g h]
     0.0s fail s0 [e f]
     0.0s ok s0 [e]
     0.0s fail s0 [f]

advance 1m
----
     0.2s fail s0 [f]
     0.2s report s0 to dead
{"requestContext":{"requestId":"request-7","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49006","endSequenceNumber":"49006","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
     0.2s ok s0 [g h]

# Without a limit the record that cannot be processed blocks the shard, alone.
update retries=-1
----
Updating batch=8 window=0 "OK"

put s0 i f k
----
    60.0s fail s0 [i f k]
    60.0s fail s0 [i f]
    60.0s ok s0 [i]
    60.0s fail s0 [f]

advance 3s
----
    60.2s fail s0 [f]
    60.6s fail s0 [f]
    61.4s fail s0 [f]
    63.0s fail s0 [f]

function ok
----
nothing

advance 1m
----
    66.2s ok s0 [f]
    66.2s ok s0 [k]

# A batch of two and one of three.
update batch=2 retries=0
----
Updating batch=8 window=0 "OK"

function poison=y
----
nothing

put s0 x y
----
   123.0s fail s0 [x y]
   123.0s ok s0 [x]
   123.0s fail s0 [y]
   123.0s report s0 to dead
{"requestContext":{"requestId":"request-21","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:03.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490013","endSequenceNumber":"490013","approximateArrivalOfFirstRecord":"2000-01-01T00:02:03.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:03.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

update batch=3
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

put s0 x y z
----
   123.0s fail s0 [x y z]
   123.0s fail s0 [x y]
   123.0s ok s0 [x]
   123.0s fail s0 [y]
   123.0s report s0 to dead
{"requestContext":{"requestId":"request-25","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:03.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490015","endSequenceNumber":"490015","approximateArrivalOfFirstRecord":"2000-01-01T00:02:03.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:03.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   123.0s ok s0 [z]

# Each half that fails to its end is reported by itself.
function poison=(p,q)
----
nothing

put s0 p q z
----
   123.0s fail s0 [p q z]
   123.0s fail s0 [p q]
   123.0s fail s0 [p]
   123.0s report s0 to dead
{"requestContext":{"requestId":"request-29","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:03.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490017","endSequenceNumber":"490017","approximateArrivalOfFirstRecord":"2000-01-01T00:02:03.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:03.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   123.0s fail s0 [q]
   123.0s report s0 to dead
{"requestContext":{"requestId":"request-30","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:03.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490018","endSequenceNumber":"490018","approximateArrivalOfFirstRecord":"2000-01-01T00:02:03.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:03.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   123.0s ok s0 [z]

advance 1s
----
nothing

# One record in a hundred: the poison is found in at most 2 * 7 + 1 invocations.
update batch=100
----
Updating batch=3 window=0 "OK"

function poison=poison
----
nothing

put s0 a*41 poison b*58
----
   124.0s fail s0 [a ... b (100)]
   124.0s fail s0 [a ... b (50)]
   124.0s ok s0 [a ... a (25)]
   124.0s fail s0 [a ... b (25)]
   124.0s ok s0 [a ... a (13)]
   124.0s fail s0 [a a a poison b b b b b b b b]
   124.0s fail s0 [a a a poison b b]
   124.0s ok s0 [a a a]
   124.0s fail s0 [poison b b]
   124.0s fail s0 [poison b]
   124.0s fail s0 [poison]
   124.0s report s0 to dead
{"requestContext":{"requestId":"request-42","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:04.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490061","endSequenceNumber":"490061","approximateArrivalOfFirstRecord":"2000-01-01T00:02:04.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:04.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   124.0s ok s0 [b]
   124.0s ok s0 [b]
   124.0s ok s0 [b b b b b b]
   124.0s ok s0 [b ... b (50)]

# A throttled batch is not cut.
function throttled 2
----
nothing

put s0 a b c
----
   124.0s throttled s0 [a b c]

advance 2s
----
   124.2s throttled s0 [a b c]
   124.6s ok s0 [a b c]

# One record in ten thousand, in at most 30 invocations, each other record processed
# once.
update batch=10000
----
Updating batch=100 window=0 "OK"

function poison=poison
----
nothing

put s0 a*6180 poison b*3819
----
   126.0s fail s0 [a ... b (10000)]
   126.0s ok s0 [a ... a (5000)]
   126.0s fail s0 [a ... b (5000)]
   126.0s fail s0 [a ... b (2500)]
   126.0s fail s0 [a ... b (1250)]
   126.0s ok s0 [a ... a (625)]
   126.0s fail s0 [a ... b (625)]
   126.0s ok s0 [a ... a (313)]
   126.0s fail s0 [a ... b (312)]
   126.0s ok s0 [a ... a (156)]
   126.0s fail s0 [a ... b (156)]
   126.0s ok s0 [a ... a (78)]
   126.0s fail s0 [a ... b (78)]
   126.0s fail s0 [a ... b (39)]
   126.0s fail s0 [a ... b (20)]
   126.0s fail s0 [a a a a a a a a poison b]
   126.0s ok s0 [a a a a a]
   126.0s fail s0 [a a a poison b]
   126.0s ok s0 [a a a]
   126.0s fail s0 [poison b]
   126.0s fail s0 [poison]
   126.0s report s0 to dead
{"requestContext":{"requestId":"request-68","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:02:06.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49006303","endSequenceNumber":"49006303","approximateArrivalOfFirstRecord":"2000-01-01T00:02:06.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:02:06.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   126.0s ok s0 [b]
   126.0s ok s0 [b b b b b b b b b b]
   126.0s ok s0 [b ... b (19)]
   126.0s ok s0 [b ... b (39)]
   126.0s ok s0 [b ... b (1250)]
   126.0s ok s0 [b ... b (2500)]
