# A failed attempt in a window is repeated with the same state. A result without a
# state is a failed attempt.
create tumbling=30 batch=3 retries=2 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=3 window=0 "No records processed"

function counts
----
nothing

put s0 a b
----
     0.0s ok s0 [a b] in 00:00-00:30 state {}

function fail 1
----
nothing

put s0 c
----
     0.0s fail s0 [c] in 00:00-00:30 state {"n":2}

advance 1s
----
     0.2s ok s0 [c] in 00:00-00:30 state {"n":2}

function counts
----
nothing

put s0 d
----
     1.0s ok s0 [d] in 00:00-00:30 state {"n":3}

function answers 1
{"count":7}
----
nothing

put s0 e
----
     1.0s answer s0 [e] in 00:00-00:30 state {"n":4}

function counts
----
nothing

advance 1s
----
     1.2s ok s0 [e] in 00:00-00:30 state {"n":4}

function answers 1
{"state":null}
----
nothing

put s0 f
----
     2.0s answer s0 [f] in 00:00-00:30 state {"n":5}

function counts
----
nothing

advance 1s
----
     2.2s ok s0 [f] in 00:00-00:30 state {"n":5}

# Any JSON can be the state.
function answers 1
{"state":[1,{"x":" "}]}
----
nothing

put s0 g
----
     3.0s answer s0 [g] in 00:00-00:30 state {"n":6}

function answers 1
{"state":{"n":6}}
----
nothing

put s0 h
----
     3.0s answer s0 [h] in 00:00-00:30 state [1,{"x":" "}]

function counts
----
nothing

# Records that are given up leave the state as it was; the document tells of the
# window.
function fail 3
----
nothing

put s0 i
----
     3.0s fail s0 [i] in 00:00-00:30 state {"n":6}

advance 2s
----
     3.2s fail s0 [i] in 00:00-00:30 state {"n":6}
     3.6s fail s0 [i] in 00:00-00:30 state {"n":6}
     3.6s report s0 to dead
{"requestContext":{"requestId":"request-13","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:03.600Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49009","endSequenceNumber":"49009","approximateArrivalOfFirstRecord":"2000-01-01T00:00:03.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:03.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:00Z","end":"2000-01-01T00:00:30Z"},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}}

function counts
----
nothing

put s0 j
----
     5.0s ok s0 [j] in 00:00-00:30 state {"n":6}

# The final invocation that fails is tried again; nothing else is processed
# meanwhile.
advance 20s
----
nothing

function fail 2
----
nothing

advance 6s
----
    30.2s fail s0 [] in 00:00-00:30 state {"n":7} final
    30.4s fail s0 [] in 00:00-00:30 state {"n":7} final
    30.9s ok s0 [] in 00:00-00:30 state {"n":7} final

put s0 k
----
    31.0s ok s0 [k] in 00:30-01:00 state {}

function counts
----
nothing

advance 2s
----
nothing

# When its attempts are used up there is a document, and the next window begins
# with a fresh state.
function counts
----
nothing

advance 25s
----
nothing

function fail 3
----
nothing

advance 5s
----
    60.2s fail s0 [] in 00:30-01:00 state {"n":1} final
    60.5s fail s0 [] in 00:30-01:00 state {"n":1} final
    60.9s fail s0 [] in 00:30-01:00 state {"n":1} final
    60.9s report s0 to dead
{"requestContext":{"requestId":"request-21","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:01:00.850Z","KinesisBatchInfo":{"shardId":"s0","streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:00:30Z","end":"2000-01-01T00:01:00Z"},"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}

advance 10s
----
nothing

function counts
----
nothing

put s0 l
----
    73.0s ok s0 [l] in 01:00-01:30 state {}

# The document of a table.
update enabled=false
----
Disabling batch=3 window=0 "OK"

create of=table table tumbling=30 batch=3 retries=0 start=LATEST destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=3 window=0 "No records processed"

put s0 m
----
    73.0s ok s0 [m] in 01:00-01:30 state {}

function fail 1
----
nothing

advance 30s
----
    90.2s fail s0 [] in 01:00-01:30 state {"n":1} final
    90.2s report s0 to dead
{"requestContext":{"requestId":"request-24","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:01:30.250Z","DDBStreamBatchInfo":{"shardId":"s0","streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:01:00Z","end":"2000-01-01T00:01:30Z"},"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}

# The age limit ends a final invocation too, counted from the end of the window and
# after at least one attempt.
update of=table retries=-1 age=60
----
Updating batch=3 window=0 "PROBLEM: Function call failed"

function counts
----
nothing

put s0 n
----
   103.0s ok s0 [n] in 01:30-02:00 state {}

function fail
----
nothing

advance 2m
----
   120.2s fail s0 [] in 01:30-02:00 state {"n":1} final
   120.5s fail s0 [] in 01:30-02:00 state {"n":1} final
   120.8s fail s0 [] in 01:30-02:00 state {"n":1} final
   121.7s fail s0 [] in 01:30-02:00 state {"n":1} final
   123.2s fail s0 [] in 01:30-02:00 state {"n":1} final
   126.5s fail s0 [] in 01:30-02:00 state {"n":1} final
   132.8s fail s0 [] in 01:30-02:00 state {"n":1} final
   145.7s fail s0 [] in 01:30-02:00 state {"n":1} final
   171.2s fail s0 [] in 01:30-02:00 state {"n":1} final
   180.0s report s0 to dead
{"requestContext":{"requestId":"request-34","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RecordAgeExceeded","approximateInvokeCount":10},"version":"1.0","timestamp":"2000-01-01T00:03:00.000Z","DDBStreamBatchInfo":{"shardId":"s0","streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"},"timeWindowInfo":{"window":{"start":"2000-01-01T00:01:30Z","end":"2000-01-01T00:02:00Z"},"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}}

# A final invocation has no records that could have failed: one that reports some has
# failed itself.
update of=table tumbling=10 report age=-1 retries=1
----
Updating batch=3 window=0 "PROBLEM: Function call failed"

function counts
----
nothing

put s0 x
----
   223.0s ok s0 [x] in 03:40-03:50 state {}

function answers 1
{"state":{},"batchItemFailures":[{"itemIdentifier":"49001"}]}
----
nothing

advance 30s
----
   230.2s answer s0 [] in 03:40-03:50 state {"n":1} final
   230.4s ok s0 [] in 03:40-03:50 state {"n":1} final
