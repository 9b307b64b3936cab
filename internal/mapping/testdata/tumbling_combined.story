# Tumbling windows together with the other settings. What a function reports of a
# batch moves the checkpoint, so the rest gets the state that was returned.
create tumbling=60 batch=4 report retries=1 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=4 window=0 "No records processed"

function poison=c reports counts
----
nothing

put s0 a b c d
----
     0.0s partly(1) s0 [a b c d] in 00:00-01:00 state {}

advance 1s
----
     0.2s partly(1) s0 [c d] in 00:00-01:00 state {"n":2}
     0.4s partly(1) s0 [c d] in 00:00-01:00 state {"n":2}
     0.4s report s0 to dead
{"requestContext":{"requestId":"request-3","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:00:00.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49003","endSequenceNumber":"49004","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:01:00Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}

# c was reported twice and given up with d. The halves of a batch run in the same
# window, one after the other.
update bisect report=false
----
Updating batch=4 window=0 "PROBLEM: Function call failed"

function poison=f counts
----
nothing

put s0 e f g h
----
     1.0s fail s0 [e f g h] in 00:00-01:00 state {"n":2}
     1.0s fail s0 [e f] in 00:00-01:00 state {"n":2}
     1.0s ok s0 [e] in 00:00-01:00 state {"n":2}
     1.0s fail s0 [f] in 00:00-01:00 state {"n":3}

advance 1s
----
     1.2s fail s0 [f] in 00:00-01:00 state {"n":3}
     1.2s report s0 to dead
{"requestContext":{"requestId":"request-8","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:01.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49006","endSequenceNumber":"49006","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:01:00Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}
     1.2s ok s0 [g h] in 00:00-01:00 state {"n":3}

# Report and bisect.
update report
----
Updating batch=4 window=0 "OK"

function poison=j reports counts
----
nothing

put s0 i j k l
----
     2.0s partly(1) s0 [i j k l] in 00:00-01:00 state {"n":5}

function counts
----
nothing

advance 1s
----
     2.2s ok s0 [j k l] in 00:00-01:00 state {"n":6}

# Records that filters take out are not counted and close no window.
update report=false bisect=false filters
{"data":{"keep":[true]}}
----
Updating batch=4 window=0 "OK"

put s0
{"keep":true}
{"keep":false}
----
     3.0s ok s0 [k/{"keep":true}] in 00:00-01:00 state {"n":9}

advance 58s
----
    60.2s ok s0 [] in 00:00-01:00 state {"n":10} final

put s0
{"keep":false}
----
nothing

advance 30s
----
nothing

# A record that is too old is cut out; the rest goes on in the window.
update enabled=false age=60 filters
----
Disabling batch=4 window=0 "OK"

advance 30s
----
nothing

put s0 at=-30s n
----
nothing

advance 20s
----
nothing

put s0 o
----
nothing

advance 10s
----
nothing

update enabled=true tumbling=300
----
Enabling batch=4 window=0 "OK"
   151.0s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":1},"version":"1.0","timestamp":"2000-01-01T00:02:31.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490016","endSequenceNumber":"490016","approximateArrivalOfFirstRecord":"2000-01-01T00:01:31.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:31.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:05:00Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}
   151.0s ok s0 [o] in 00:00-05:00 state {}

advance 5m
----
   300.2s ok s0 [] in 00:00-05:00 state {"n":1} final

# All of them at once: p is too old, q is not wanted, r is reported until it is alone
# and given up, and the window has counted the others.
update enabled=false report bisect retries=0 age=60 batch=10 tumbling=600 filters
{"data":{"n":[{"exists":true}]}}
----
Disabling batch=4 window=0 "OK"

put s0 at=-50s {"n":"p"}
----
nothing

advance 30s
----
nothing

put s0 {"n":1} {"x":"q"} {"n":2} {"n":"r"} {"n":3} {"n":4}
----
nothing

function poison={"n":"r"} reports counts
----
nothing

update enabled=true
----
Enabling batch=10 window=0 "OK"
   481.0s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":1},"version":"1.0","timestamp":"2000-01-01T00:08:01.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490018","endSequenceNumber":"490018","approximateArrivalOfFirstRecord":"2000-01-01T00:06:41.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:06:41.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:10:00Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}
   481.0s partly(1) s0 [{"n":1} {"n":2} {"n":"r"} {"n":3} {"n":4}] in 00:00-10:00 state {}

advance 1m
----
   481.2s partly(1) s0 [{"n":"r"} {"n":3} {"n":4}] in 00:00-10:00 state {"n":2}
   481.2s partly(1) s0 [{"n":"r"} {"n":3}] in 00:00-10:00 state {"n":2}
   481.2s partly(1) s0 [{"n":"r"}] in 00:00-10:00 state {"n":2}
   481.2s report s0 to dead
{"requestContext":{"requestId":"request-19","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:08:01.200Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490022","endSequenceNumber":"490022","approximateArrivalOfFirstRecord":"2000-01-01T00:08:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:08:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:10:00Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}
   481.2s ok s0 [{"n":3}] in 00:00-10:00 state {"n":2}
   481.2s ok s0 [{"n":4}] in 00:00-10:00 state {"n":3}

function counts
----
nothing

advance 10m
----
   600.2s ok s0 [] in 00:00-10:00 state {"n":4} final
