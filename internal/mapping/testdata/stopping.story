# What an invocation in flight decides is done before the mapping stops: records that
# are given up are reported, and do not come again.
create retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=100 window=0 "No records processed"

function fail takes=5s
----
nothing

put s0 a
----
     0.0s invoke s0 [a]

update batch=5
----
Updating batch=100 window=0 "No records processed"

advance 10s
----
     5.0s fail s0 [a]
     5.0s report s0 to dead
{"requestContext":{"requestId":"request-1","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:05.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49001","endSequenceNumber":"49001","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

show
----
Enabled batch=5 window=0 "PROBLEM: Function call failed"
s0 waiting next=2 attempts=0 

# A destination that is out of reach is tried again also then.
put s0 b
----
    10.0s invoke s0 [b]

destination unreachable 2
----
nothing

update enabled=false
----
Disabling batch=5 window=0 "PROBLEM: Function call failed"

advance 5s
----
    15.0s fail s0 [b]
    15.0s unreachable s0 to dead

advance 1s
----
    15.2s unreachable s0 to dead
    15.6s report s0 to dead
{"requestContext":{"requestId":"request-2","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:15.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49002","endSequenceNumber":"49002","approximateArrivalOfFirstRecord":"2000-01-01T00:00:10.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:10.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

update enabled=true
----
Enabling batch=5 window=0 "PROBLEM: Function call failed"

show
----
Enabled batch=5 window=0 "PROBLEM: Function call failed"
s0 waiting next=3 attempts=0 

# So it is at the end of the server, within the time that invocations are given.
put s0 c
----
    16.0s invoke s0 [c]

advance 4s
----
nothing

destination unreachable
----
nothing

restart
----
    21.0s fail s0 [c]
    21.0s unreachable s0 to dead
    21.2s unreachable s0 to dead
    21.6s unreachable s0 to dead

destination ok
----
nothing

advance 10s
----
nothing
