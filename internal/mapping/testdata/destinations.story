# Documents for what is discarded. Queues and topics get which records they were;
# buckets also the event. The qualifier of the function is the mapping's, the version
# the one that ran.
create retries=0 function=f:live destination=arn:aws:sns:us-east-1:000000000000:topic
----
Creating batch=100 window=0 "No records processed"

function fail
----
nothing

put s0 a
----
     0.0s fail s0 [a]
     0.0s report s0 to topic
{"requestContext":{"requestId":"request-1","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49001","endSequenceNumber":"49001","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

advance 1s
----
nothing

update destination=arn:aws:s3:::bucket
----
Updating batch=100 window=0 "PROBLEM: Function call failed"

put s0 "b" c\d
----
     1.0s fail s0 ["b" c\d]
     1.0s report s0 to bucket
{"requestContext":{"requestId":"request-2","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"version":"1.0","payload":"{\"Records\":[{\"shard\":\"s0\",\"number\":\"49002\",\"data\":\"\\\"b\\\"\",\"kinesis\":{\"partitionKey\":\"\\\"b\\\"\"}},{\"shard\":\"s0\",\"number\":\"49003\",\"data\":\"c\\\\d\",\"kinesis\":{\"partitionKey\":\"c\\\\d\"}}]}","timestamp":"2000-01-01T00:00:01.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49002","endSequenceNumber":"49003","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
     1.0s object s0 to bucket as aws/lambda/UUID/s0/2000/01/01/2000-01-01T00.00.01-UUID

update age=60
----
Updating batch=100 window=0 "PROBLEM: Function call failed"

function throttled
----
nothing

put s0 d
----
     1.0s throttled s0 [d]

advance 1m
----
     1.2s throttled s0 [d]
     1.6s throttled s0 [d]
     2.4s throttled s0 [d]
     3.4s throttled s0 [d]
     4.4s throttled s0 [d]
     5.4s throttled s0 [d]
     6.4s throttled s0 [d]
     7.4s throttled s0 [d]
          ... 51 more
    59.4s throttled s0 [d]
    60.4s throttled s0 [d]
    61.0s report s0 to bucket
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RecordAgeExceeded","approximateInvokeCount":1},"version":"1.0","payload":"{\"Records\":[{\"shard\":\"s0\",\"number\":\"49004\",\"data\":\"d\",\"kinesis\":{\"partitionKey\":\"d\"}}]}","timestamp":"2000-01-01T00:01:01.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49004","endSequenceNumber":"49004","approximateArrivalOfFirstRecord":"2000-01-01T00:00:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
    61.0s object s0 to bucket as aws/lambda/UUID/s0/2000/01/01/2000-01-01T00.01.01-UUID

# A destination that is out of reach for a moment is tried three times.
update age=-1 destination=arn:aws:sqs:us-east-1:000000000000:dead metrics
----
Updating batch=100 window=0 "PROBLEM: Function call failed"

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
IteratorAge FunctionName=f sum=1.7944e+06 max=59400 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count

function fail
----
nothing

destination unreachable 2
----
nothing

put s0 e
----
    61.0s fail s0 [e]
    61.0s unreachable s0 to dead

advance 10s
----
    61.2s unreachable s0 to dead
    61.6s report s0 to dead
{"requestContext":{"requestId":"request-3","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:01:01.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49005","endSequenceNumber":"49005","approximateArrivalOfFirstRecord":"2000-01-01T00:01:01.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:01.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

# After that, and at once when it does not exist or refuses, the record is dropped
# without a document, and the shard goes on.
destination unreachable 3
----
nothing

put s0 f
----
    71.0s fail s0 [f]
    71.0s unreachable s0 to dead

advance 10s
----
    71.2s unreachable s0 to dead
    71.6s unreachable s0 to dead

meters
----
DestinationDeliveryFailures FunctionName=f sum=1 max=1 Count
DroppedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count

destination gone 1
----
nothing

put s0 g
----
    81.0s fail s0 [g]
    81.0s refused s0 to dead

function ok
----
nothing

put s0 h
----
    81.0s ok s0 [h]

meters
----
DestinationDeliveryFailures FunctionName=f sum=1 max=1 Count
DroppedEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count

# No destination at all.
update destination=
----
Updating batch=100 window=0 "OK"

function fail 1
----
nothing

put s0 i j
----
    81.0s fail s0 [i j]

meters
----
DroppedEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count

# A document that was not sent when the process ended is sent by the next one.
update destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Updating batch=100 window=0 "PROBLEM: Function call failed"

destination unreachable 1
----
nothing

function fail
----
nothing

put s0 k
----
    81.0s fail s0 [k]
    81.0s unreachable s0 to dead

crash
----
    81.0s fail s0 [k]
    81.0s report s0 to dead
{"requestContext":{"requestId":"request-9","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:live","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"1","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:01:21.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490011","endSequenceNumber":"490011","approximateArrivalOfFirstRecord":"2000-01-01T00:01:21.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:21.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

function ok
----
nothing

# Documents of a table, whose times have no fraction.
create of=table table start=LATEST retries=1 destination=arn:aws:s3:::bucket
----
Creating batch=100 window=0 "No records processed"

update enabled=false
----
Disabling batch=100 window=0 "PROBLEM: Function call failed"

advance 1234ms
----
nothing

function fail
----
nothing

put s0 {"eventName":"INSERT"}
----
    82.2s fail s0 [change 12]

advance 1s
----
    82.4s fail s0 [change 12]
    82.4s report s0 to bucket
{"requestContext":{"requestId":"request-11","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","payload":"{\"Records\":[{\"shard\":\"s0\",\"number\":\"490012\",\"data\":\"change 12\",\"eventName\":\"INSERT\"}]}","timestamp":"2000-01-01T00:01:22.434Z","DDBStreamBatchInfo":{"shardId":"s0","startSequenceNumber":"490012","endSequenceNumber":"490012","approximateArrivalOfFirstRecord":"2000-01-01T00:01:22Z","approximateArrivalOfLastRecord":"2000-01-01T00:01:22Z","batchSize":1,"streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"}}
    82.4s object s0 to bucket as aws/lambda/UUID/s0/2000/01/01/2000-01-01T00.01.22-UUID
