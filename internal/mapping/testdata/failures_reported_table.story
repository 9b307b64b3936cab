# The changes of a table, as the records of a stream in failures_reported.story: the
# first record that is reported is where the batch goes on. What comes before it is done; the rest is sent again, although some of it
# succeeded, and has all its attempts again. So with a limit of 3 a batch of three
# whose last record always fails is sent once, and then that record four times.
create table batch=3 report retries=3 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=3 window=0 "No records processed"

function poison=f reports
----
nothing

put s0 a b c d e f
----
     0.0s ok s0 [a b c]
     0.0s partly(1) s0 [d e f]

advance 1m
----
     0.2s partly(1) s0 [f]
     0.4s partly(1) s0 [f]
     0.8s partly(1) s0 [f]
     1.6s partly(1) s0 [f]
     1.6s report s0 to dead
{"requestContext":{"requestId":"request-6","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":4},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:00:01.600Z","DDBStreamBatchInfo":{"shardId":"s0","startSequenceNumber":"49006","endSequenceNumber":"49006","approximateArrivalOfFirstRecord":"2000-01-01T00:00:00Z","approximateArrivalOfLastRecord":"2000-01-01T00:00:00Z","batchSize":1,"streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"}}

# The remainder is not topped up with records that came meanwhile.
put s0 g f
----
    60.0s partly(1) s0 [g f]

put s0 h
----
nothing

function ok
----
nothing

advance 1m
----
    60.2s ok s0 [f]
    60.2s ok s0 [h]

# What the function may answer. These mean success:
function answers 1
null
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
{}
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
[]
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
{"batchItemFailures":[]}
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
{"batchItemFailures":null}
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

function answers 1
{"other":[{"itemIdentifier":"$1"}]}
----
nothing

put s0 a b
----
   120.0s answer s0 [a b]

advance 1m
----
nothing

# These mean that the whole batch failed:
function answers 1
{"batchItemFailures":[{"itemIdentifier":""}]}
----
nothing

put s0 a b
----
   180.0s answer s0 [a b]

advance 1s
----
   180.2s ok s0 [a b]

function answers 1
{"batchItemFailures":[{"itemIdentifier":null}]}
----
nothing

put s0 a b
----
   181.0s answer s0 [a b]

advance 1s
----
   181.2s ok s0 [a b]

function answers 1
{"batchItemFailures":[{"foo":123}]}
----
nothing

put s0 a b
----
   182.0s answer s0 [a b]

advance 1s
----
   182.2s ok s0 [a b]

function answers 1
{"batchItemFailures":[{"foo":null}]}
----
nothing

put s0 a b
----
   183.0s answer s0 [a b]

advance 1s
----
   183.2s ok s0 [a b]

function answers 1
{"batchItemFailures":[{"itemIdentifier":"123"}]}
----
nothing

put s0 a b
----
   184.0s answer s0 [a b]

advance 1s
----
   184.2s ok s0 [a b]

function answers 1
{"batchItemFailures":[{"itemIdentifier":123}]}
----
nothing

put s0 a b
----
   185.0s answer s0 [a b]

advance 1s
----
   185.2s ok s0 [a b]

function answers 1
{"batchItemFailures":"$2"}
----
nothing

put s0 a b
----
   186.0s answer s0 [a b]

advance 1s
----
   186.2s ok s0 [a b]

# One bad identifier among good ones.
function answers 1
{"batchItemFailures":[{"itemIdentifier":"$2"},{"itemIdentifier":"123"}]}
----
nothing

put s0 a b
----
   187.0s answer s0 [a b]

advance 1s
----
   187.2s ok s0 [a b]

function answers 1
this is not JSON
----
nothing

put s0 a b
----
   188.0s answer s0 [a b]

advance 1s
----
   188.2s ok s0 [a b]

function crash 1
----
nothing

put s0 a b
----
   189.0s crash s0 [a b]

advance 1s
----
   189.2s ok s0 [a b]

# The lowest of several counts.
function answers 1
{"batchItemFailures":[{"itemIdentifier":"$3"},{"itemIdentifier":"$2"}]}
----
nothing

put s0 a b c
----
   190.0s answer s0 [a b c]

advance 1s
----
   190.2s ok s0 [b c]

# The first record: no progress, so it counts as a failed attempt.
update retries=0
----
Updating batch=3 window=0 "OK"

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$1"}]}
----
nothing

put s0 a b
----
   191.0s answer s0 [a b]
   191.0s report s0 to dead
{"requestContext":{"requestId":"request-39","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:03:11.000Z","DDBStreamBatchInfo":{"shardId":"s0","startSequenceNumber":"490047","endSequenceNumber":"490048","approximateArrivalOfFirstRecord":"2000-01-01T00:03:11Z","approximateArrivalOfLastRecord":"2000-01-01T00:03:11Z","batchSize":2,"streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000"}}
