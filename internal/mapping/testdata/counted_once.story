# A function whose effects are counted once: they take effect with the checkpoint or
# not at all. A conflict repeats the invocation; it is no failure.
create batch=3 retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=3 window=0 "No records processed"

effects conflicts=1
----
nothing

put s0 a b c
----
     0.0s ok s0 [a b c]
     0.0s conflict s0 [a b c]
     0.0s ok s0 [a b c]

effects
----
a=1 b=1 c=1 

# More conflicts in a row are paused for, a little longer each time.
effects conflicts=4
----
nothing

put s0 d
----
     0.0s ok s0 [d]
     0.0s conflict s0 [d]
     0.0s ok s0 [d]
     0.0s conflict s0 [d]

advance 1s
----
     0.0s ok s0 [d]
     0.0s conflict s0 [d]
     0.0s ok s0 [d]
     0.0s conflict s0 [d]
     0.0s ok s0 [d]

effects
----
d=1 

# What fails has no effects, also none of what was done before.
function fail 1
----
nothing

put s0 e
----
     1.0s fail s0 [e]
     1.0s report s0 to dead
{"requestContext":{"requestId":"request-8","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:01.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49005","endSequenceNumber":"49005","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# What an invocation did cannot be told apart by record. So after a partial answer
# the records before the failure are sent again by themselves.
update report retries=1
----
Updating batch=3 window=0 "PROBLEM: Function call failed"

function poison=h reports 3
----
nothing

put s0 f g h
----
     1.0s partly(1) s0 [f g h]
     1.0s ok s0 [f g]
     1.0s partly(1) s0 [h]

advance 1s
----
     1.2s ok s0 [h]

advance 5s
----
nothing

effects
----
d=1 f=1 g=1 h=1 

# A crash takes back both or neither.
put s0 i
----
     7.0s ok s0 [i]

crash
----
     7.0s ok s0 [i]

# In windows the state goes with them.
update tumbling=60
----
Updating batch=3 window=0 "OK"

function counts
----
nothing

effects conflicts=1
----
nothing

put s0 j k
----
     7.0s ok s0 [j k] in 00:00-01:00 state {}
     7.0s conflict s0 [j k] in 00:00-01:00 state {}
     7.0s ok s0 [j k] in 00:00-01:00 state {}

put s0 l
----
     7.0s ok s0 [l] in 00:00-01:00 state {"n":2}

effects
----
j=1 k=1 l=1 

advance 1m
----
    60.2s ok s0 [] in 00:00-01:00 state {"n":3} final
