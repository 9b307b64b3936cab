# The metrics of a mapping that asks for them, and those of its function.
create batch=3 metrics retries=1 report destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=3 window=0 "No records processed"

# Success.
put s0 a b
----
     0.0s ok s0 [a b]

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count

# A retry: what is handed to the function counts again.
function fail 1
----
nothing

put s0 c
----
     0.0s fail s0 [c]

advance 1s
----
     0.2s ok s0 [c]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count
IteratorAge FunctionName=f sum=200 max=200 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

# A partial failure.
function poison=e reports
----
nothing

put s0 d e
----
     1.0s partly(1) s0 [d e]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count

# It is given up and delivered to the destination.
advance 1s
----
     1.2s partly(1) s0 [e]
     1.4s partly(1) s0 [e]
     1.4s report s0 to dead
{"requestContext":{"requestId":"request-6","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:00:01.400Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49005","endSequenceNumber":"49005","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count
IteratorAge FunctionName=f sum=600 max=400 Milliseconds
OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
PolledEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count

# Without a destination it is dropped.
update destination=
----
Updating batch=3 window=0 "PROBLEM: Function call failed"

put s0 e f
----
     2.0s partly(1) s0 [e f]

advance 1s
----
     2.2s partly(1) s0 [e f]

meters
----
DroppedEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=4 max=2 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=4 max=2 Count
IteratorAge FunctionName=f sum=200 max=200 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count

# Throttles are no failures; the function could not be called is one.
function throttled 2
----
nothing

put s0 g
----
     3.0s throttled s0 [g]

advance 1s
----
     3.2s throttled s0 [g]
     3.6s ok s0 [g]

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=800 max=600 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

function missing 1
----
nothing

put s0 h
----
     4.0s missing s0 [h]

advance 1s
----
     4.2s ok s0 [h]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=200 max=200 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

# The iterator age grows while a shard is blocked.
update retries=-1 report=false
----
Updating batch=3 window=0 "OK"

function fail
----
nothing

put s0 i
----
     5.0s fail s0 [i]

advance 30s
----
     5.2s fail s0 [i]
     5.6s fail s0 [i]
     6.4s fail s0 [i]
     8.0s fail s0 [i]
    11.2s fail s0 [i]
    17.6s fail s0 [i]
    30.4s fail s0 [i]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=8 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=8 max=1 Count
IteratorAge FunctionName=f sum=49400 max=25400 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

advance 30s
----
    56.0s fail s0 [i]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=51000 max=51000 Milliseconds

# Disabled, or not asked for, it counts nothing more.
update metrics=false
----
Updating batch=3 window=0 "PROBLEM: Function call failed"
    65.0s fail s0 [i]

function ok
----
nothing

advance 1m
----
    65.2s ok s0 [i]

meters
----
IteratorAge FunctionName=f sum=120200 max=60200 Milliseconds

update enabled=false
----
Disabling batch=3 window=0 "OK"

put s0 j
----
nothing

meters
----
nothing

# What was counted for a mapping itself goes with it.
update enabled metrics
----
Enabling batch=3 window=0 "OK"
   125.0s ok s0 [j]

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

put s0 k
----
   125.0s ok s0 [k]

delete
----
Deleting batch=3 window=0 "OK"

meters
----
IteratorAge FunctionName=f sum=0 max=0 Milliseconds

# A record from before the clock was set back has no age yet, not a negative one.
create start=LATEST
----
Creating batch=100 window=0 "No records processed"

put s0 at=1m l
----
   125.0s ok s0 [l]

meters
----
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
