# A batch of ten messages, of which 4, 7 and 10 fail, with ReportBatchItemFailures and
# BisectBatchOnFunctionError. A function that stops at the first failure and returns
# its number needs four invocations, if each message succeeds when it is the first of
# the next one: the batch is cut at the number that is returned, and only what remains
# is sent again.
create batch=10 bisect report retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=10 window=0 "No records processed"

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
     0.0s answer s0 [1 2 3 4 5 6 7 8 9 10]

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

advance 210ms
----
     0.2s answer s0 [4 5 6 7 8 9 10]

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

advance 210ms
----
     0.4s answer s0 [7 8 9 10]

function ok
----
nothing

advance 1m
----
     0.6s ok s0 [10]

# It is the same without bisecting,
update bisect=false
----
Updating batch=10 window=0 "OK"

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
    60.4s answer s0 [1 2 3 4 5 6 7 8 9 10]

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

advance 210ms
----
    60.6s answer s0 [4 5 6 7 8 9 10]

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$4"}]}
----
nothing

advance 210ms
----
    60.8s answer s0 [7 8 9 10]

function ok
----
nothing

advance 1m
----
    61.0s ok s0 [10]

# and when the function goes on after a failure and returns all numbers: the lowest
# counts, and what comes after it is sent again although it succeeded.
update bisect
----
Updating batch=10 window=0 "OK"

function poison=(4,7,10) reports
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
   120.8s partly(3) s0 [1 2 3 4 5 6 7 8 9 10]

function poison=(7,10) reports
----
nothing

advance 210ms
----
   121.0s partly(2) s0 [4 5 6 7 8 9 10]

function poison=10 reports
----
nothing

advance 210ms
----
   121.2s partly(1) s0 [7 8 9 10]

function ok
----
nothing

advance 1m
----
   121.4s ok s0 [10]

# Messages that always fail are isolated: a report that names the first message makes
# no progress and is a failure of all that was sent, which is cut in the middle. Only
# the three are given up.
function poison=(4,7,10) reports
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
   181.3s partly(3) s0 [1 2 3 4 5 6 7 8 9 10]

advance 1m
----
   181.5s partly(3) s0 [4 5 6 7 8 9 10]
   181.5s partly(2) s0 [4 5 6 7]
   181.5s partly(1) s0 [4 5]
   181.5s partly(1) s0 [4]
   181.5s report s0 to dead
{"requestContext":{"requestId":"request-17","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:03:01.460Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490034","endSequenceNumber":"490034","approximateArrivalOfFirstRecord":"2000-01-01T00:03:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:03:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   181.5s ok s0 [5]
   181.5s partly(1) s0 [6 7]
   181.7s partly(1) s0 [7]
   181.7s report s0 to dead
{"requestContext":{"requestId":"request-20","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:03:01.660Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490037","endSequenceNumber":"490037","approximateArrivalOfFirstRecord":"2000-01-01T00:03:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:03:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   181.7s partly(1) s0 [8 9 10]
   181.9s partly(1) s0 [10]
   181.9s report s0 to dead
{"requestContext":{"requestId":"request-22","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:03:01.860Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490040","endSequenceNumber":"490040","approximateArrivalOfFirstRecord":"2000-01-01T00:03:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:03:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# With a retry each is sent twice when it is alone.
update retries=1
----
Updating batch=10 window=0 "PROBLEM: Function call failed"

put s0 1 2 3 4 5 6 7 8 9 10
----
   241.3s partly(3) s0 [1 2 3 4 5 6 7 8 9 10]

advance 1m
----
   241.5s partly(3) s0 [4 5 6 7 8 9 10]
   241.5s partly(2) s0 [4 5 6 7]
   241.5s partly(1) s0 [4 5]
   241.5s partly(1) s0 [4]
   241.7s partly(1) s0 [4]
   241.7s report s0 to dead
{"requestContext":{"requestId":"request-28","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:04:01.660Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490044","endSequenceNumber":"490044","approximateArrivalOfFirstRecord":"2000-01-01T00:04:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:04:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   241.7s ok s0 [5]
   241.7s partly(1) s0 [6 7]
   241.9s partly(1) s0 [7]
   242.1s partly(1) s0 [7]
   242.1s report s0 to dead
{"requestContext":{"requestId":"request-32","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:04:02.060Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490047","endSequenceNumber":"490047","approximateArrivalOfFirstRecord":"2000-01-01T00:04:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:04:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   242.1s partly(1) s0 [8 9 10]
   242.3s partly(1) s0 [10]
   242.5s partly(1) s0 [10]
   242.5s report s0 to dead
{"requestContext":{"requestId":"request-35","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:04:02.460Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490050","endSequenceNumber":"490050","approximateArrivalOfFirstRecord":"2000-01-01T00:04:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:04:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Without bisecting nothing is isolated: what remains from the first failure on is
# given up as a whole when its attempts are used up.
update bisect=false
----
Updating batch=10 window=0 "PROBLEM: Function call failed"

put s0 1 2 3 4 5 6 7 8 9 10
----
   301.3s partly(3) s0 [1 2 3 4 5 6 7 8 9 10]

advance 1m
----
   301.5s partly(3) s0 [4 5 6 7 8 9 10]
   301.7s partly(3) s0 [4 5 6 7 8 9 10]
   301.7s report s0 to dead
{"requestContext":{"requestId":"request-38","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2000-01-01T00:05:01.660Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490054","endSequenceNumber":"490060","approximateArrivalOfFirstRecord":"2000-01-01T00:05:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:05:01.260Z","batchSize":7,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

# Without reports either the batch fails as a whole; bisecting alone isolates them, too.
update bisect report=false retries=0
----
Updating batch=10 window=0 "PROBLEM: Function call failed"

function poison=(4,7,10)
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
   361.3s fail s0 [1 2 3 4 5 6 7 8 9 10]
   361.3s fail s0 [1 2 3 4 5]
   361.3s ok s0 [1 2 3]
   361.3s fail s0 [4 5]
   361.3s fail s0 [4]
   361.3s report s0 to dead
{"requestContext":{"requestId":"request-43","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:06:01.260Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490064","endSequenceNumber":"490064","approximateArrivalOfFirstRecord":"2000-01-01T00:06:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:06:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   361.3s ok s0 [5]
   361.3s fail s0 [6 7 8 9 10]
   361.3s fail s0 [6 7 8]
   361.3s fail s0 [6 7]
   361.3s ok s0 [6]
   361.3s fail s0 [7]
   361.3s report s0 to dead
{"requestContext":{"requestId":"request-49","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:06:01.260Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490067","endSequenceNumber":"490067","approximateArrivalOfFirstRecord":"2000-01-01T00:06:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:06:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}
   361.3s ok s0 [8]
   361.3s fail s0 [9 10]
   361.3s ok s0 [9]
   361.3s fail s0 [10]
   361.3s report s0 to dead
{"requestContext":{"requestId":"request-53","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","condition":"RetryAttemptsExhausted","approximateInvokeCount":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2000-01-01T00:06:01.260Z","KinesisBatchInfo":{"shardId":"s0","startSequenceNumber":"490070","endSequenceNumber":"490070","approximateArrivalOfFirstRecord":"2000-01-01T00:06:01.260Z","approximateArrivalOfLastRecord":"2000-01-01T00:06:01.260Z","batchSize":1,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}}

advance 1m
----
nothing
