# FilterCriteria: a record is delivered when it matches one of the filters; the others
# do not count to the batch, are in no report, and are behind the checkpoint.
create batch=2 metrics retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead filters
{"data":{"kind":["order"],"n":[{"numeric":[">",10]}]}}
{"data":{"kind":["refund"]}}
----
Creating batch=2 window=0 "No records processed"

put s0
{"kind":"order","n":5}
{"kind":"order","n":11}
{"kind":"refund"}
{"kind":"order","n":12}
not JSON
----
     0.0s ok s0 [k/{"kind":"order","n":11} k/{"kind":"refund"}]
     0.0s ok s0 [k/{"kind":"order","n":12}]

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=2 max=1 Count
InvokedEventCount EventSourceMappingUUID=UUID sum=3 max=2 Count
IteratorAge FunctionName=f sum=0 max=0 Milliseconds
PolledEventCount EventSourceMappingUUID=UUID sum=5 max=2 Count

# All of a poll are filtered out: no invocation, but the position advances.
put s0
{"kind":"other"}
{"kind":"other","n":11}
----
nothing

meters
----
FilteredOutEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count
PolledEventCount EventSourceMappingUUID=UUID sum=2 max=2 Count

show
----
Enabled batch=2 window=0 "OK"
s0 waiting next=8 attempts=0 

# Records that were filtered out do not come back when the filters change, and the
# new ones take effect. Removed, all records are delivered.
update filters
{"data":{"kind":["other"]}}
----
Updating batch=2 window=0 "OK"

put s0
{"kind":"other"}
{"kind":"order","n":11}
----
     0.0s ok s0 [k/{"kind":"other"}]

update filters
----
Updating batch=2 window=0 "OK"

put s0
not JSON
{"kind":"order","n":1}
----
     0.0s ok s0 [k/not JSON k/{"kind":"order","n":1}]

# Nor do they after a restart, also with several lanes.
update factor=3 filters
{"data":{"kind":["order"]}}
----
Updating batch=2 window=0 "OK"

put s0
{"kind":"other"}
----
nothing

restart
----
nothing

update filters
----
Updating batch=2 window=0 "OK"

put s0
{"kind":"last"}
----
     0.0s ok s0 [k/{"kind":"last"}]

# Filters do not let too old records or failed ones through unreported.
update factor=1 filters
{"data":{"kind":["order"]}}
----
Updating batch=2 window=0 "OK"

function fail
----
nothing

put s0
{"kind":"order"}
{"kind":"other"}
----
     0.0s fail s0 [k/{"kind":"order"}]
     0.0s report s0 to dead
{"requestContext":{"requestId":"request-6","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:00:00.000Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490014","endSequenceNumber":"490014","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00.000Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00.000Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Metadata of streams, also without a look at the data.
update filters
{"partitionKey":["k"]}
----
Updating batch=2 window=0 "PROBLEM: Function call failed"

function ok
----
nothing

put s0 k/text x/text
----
     0.0s ok s0 [k/text]

# A mapping whose filters let nothing through still finishes its shard.
update filters
{"data":{"kind":["none"]}}
----
Updating batch=2 window=0 "OK"

put s0 x
----
nothing

split s0 s1 s2
----
nothing

put s1
{"kind":"none"}
----
     0.0s ok s1 [k/{"kind":"none"}]

# What is not a filter.
update filters
text
----
error: Invalid filter pattern definition.

update filters
{"data":
----
error: Invalid filter pattern definition.

update filters
{"data":"order"}
----
error: Invalid filter pattern definition.

update filters
{"data":{"kind":[]}}
----
error: Invalid filter pattern definition.

# At most ten.
update filters
{"data":{"a":[1]}}
{"data":{"a":[2]}}
{"data":{"a":[3]}}
{"data":{"a":[4]}}
{"data":{"a":[5]}}
{"data":{"a":[6]}}
{"data":{"a":[7]}}
{"data":{"a":[8]}}
{"data":{"a":[9]}}
{"data":{"a":[10]}}
{"data":{"a":[11]}}
----
error: The number of filters exceeds the limit of 10.
