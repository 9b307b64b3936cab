# A batch holds as many records as fit into an event of 6 MB; the rest is sent after
# it. One record alone that does not fit is tried as often as the retry limit allows,
# without an invocation, and then reported; the next one goes on at once.
create retries=2 destination=arn:aws:sqs:us-east-1:000000000000:dead metrics
----
Creating batch=100 window=0 "No records processed"

put s0 bytes:3000000 bytes:3000000 bytes:3000000
----
     0.0s ok s0 [3000000 bytes 3000000 bytes]
     0.0s ok s0 [3000000 bytes]

put s0 bytes:7000000 a
----
nothing

advance 2s
----
     0.6s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"version":"1.0","timestamp":"2000-01-01T00:00:00.600Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49004","endSequenceNumber":"49004","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
     0.6s ok s0 [a]

meters
----
FailedInvokeEventCount EventSourceMappingUUID=UUID sum=3 max=1 Count
FilteredOutEventCount EventSourceMappingUUID=UUID sum=0 max=0 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=4 max=2 Count
IteratorAge FunctionName=f sum=600 max=600 Milliseconds
OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=UUID sum=1 max=1 Count
PolledEventCount EventSourceMappingUUID=UUID sum=5 max=2 Count

# In the middle of a batch.
update window=1 retries=0
----
Updating batch=100 window=0 "OK"

put s0 b bytes:6291450 c
----
nothing

advance 1s
----
     3.0s ok s0 [b]
     3.0s report s0 to dead
{"requestContext":{"requestId":"UUID","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"version":"1.0","timestamp":"2000-01-01T00:00:03.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"49007","endSequenceNumber":"49007","approximateArrivalOfFirstRecord":"2000-01-01T00:00:02.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:02.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
     3.0s ok s0 [c]
