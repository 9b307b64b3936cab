# MaximumRecordAgeInSeconds, which is of each record by itself. Here the mapping was
# off while records became too old: they are cut out of the batch and reported, the
# others are delivered. The count is 1 though nothing was invoked.
create batch=10 age=60 retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead disabled
----
Creating batch=10 window=0 "No records processed"

put s0 a
----
nothing

advance 50s
----
nothing

put s0 b c d e f
----
nothing

advance 15s
----
nothing

update enabled=true
----
Enabling batch=10 window=0 "No records processed"
    65.0s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":1},"version":"1.0","timestamp":"2000-01-01T00:01:05.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49001","endSequenceNumber":"49001","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
    65.0s ok s0 [b c d e f]

# It also ends what is tried again and again, and what is throttled.
update retries=-1
----
Updating batch=10 window=0 "OK"

function fail
----
nothing

put s0 g
----
    65.0s fail s0 [g]

advance 30s
----
    65.2s fail s0 [g]
    65.6s fail s0 [g]
    66.4s fail s0 [g]
    68.0s fail s0 [g]
    71.2s fail s0 [g]
    77.6s fail s0 [g]
    90.4s fail s0 [g]

put s0 h
----
nothing

advance 30s
----
   116.0s fail s0 [g]
   125.0s report s0 to dead
{"requestContext":{"requestId":"request-10","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":10},"version":"1.0","timestamp":"2000-01-01T00:02:05.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49007","endSequenceNumber":"49007","approximateArrivalOfFirstRecord":"2000-01-01T00:01:05.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:05.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   125.0s fail s0 [h]

advance 1m
----
   125.2s fail s0 [h]
   125.6s fail s0 [h]
   126.4s fail s0 [h]
   128.0s fail s0 [h]
   131.2s fail s0 [h]
   137.6s fail s0 [h]
   150.4s fail s0 [h]
   155.0s report s0 to dead
{"requestContext":{"requestId":"request-18","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":9},"version":"1.0","timestamp":"2000-01-01T00:02:35.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49008","endSequenceNumber":"49008","approximateArrivalOfFirstRecord":"2000-01-01T00:01:35.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:35.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

function throttled
----
nothing

put s0 i
----
   185.0s throttled s0 [i]

advance 59s
----
   185.2s throttled s0 [i]
   185.6s throttled s0 [i]
   186.4s throttled s0 [i]
   187.4s throttled s0 [i]
   188.4s throttled s0 [i]
   189.4s throttled s0 [i]
   190.4s throttled s0 [i]
   191.4s throttled s0 [i]
          ... 50 more
   242.4s throttled s0 [i]
   243.4s throttled s0 [i]

advance 2s
----
   244.4s throttled s0 [i]
   245.0s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":1},"version":"1.0","timestamp":"2000-01-01T00:04:05.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49009","endSequenceNumber":"49009","approximateArrivalOfFirstRecord":"2000-01-01T00:03:05.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:03:05.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Without a destination nobody hears of it.
update destination=
----
Updating batch=10 window=0 "PROBLEM: Function call failed"

put s0 j
----
   246.0s throttled s0 [j]

advance 2m
----
   246.2s throttled s0 [j]
   246.6s throttled s0 [j]
   247.4s throttled s0 [j]
   248.4s throttled s0 [j]
   249.4s throttled s0 [j]
   250.4s throttled s0 [j]
   251.4s throttled s0 [j]
   252.4s throttled s0 [j]
          ... 51 more
   304.4s throttled s0 [j]
   305.4s throttled s0 [j]

function ok
----
nothing

put s0 k
----
   366.0s ok s0 [k]

# What the source does not keep any longer is lost, and is not reported: it was not
# the mapping that ended it.
update age=-1 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Updating batch=10 window=0 "OK"

retention 30s
----
nothing

function fail
----
nothing

put s0 l
----
   366.0s fail s0 [l]

advance 40s
----
   366.2s fail s0 [l]
   366.6s fail s0 [l]
   367.4s fail s0 [l]
   369.0s fail s0 [l]
   372.2s fail s0 [l]
   378.6s fail s0 [l]
   391.4s fail s0 [l]

function ok
----
nothing

put s0 m
----
nothing

advance 1m
----
   417.0s ok s0 [m]

show
----
Enabled batch=10 window=0 "OK"
s0 waiting next=14 attempts=0  discarded=0 lost=1
