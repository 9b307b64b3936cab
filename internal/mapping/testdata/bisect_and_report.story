# With both, a partial answer cuts the batch at the number that is returned, and
# only what is left is sent again; an exception or an answer that makes no sense
# cuts it in the middle.
create batch=8 bisect report retries=0 destination=arn:aws:sqs:us-east-1:000000000000:dead
----
Creating batch=8 window=0 "No records processed"

function answers 1
{"batchItemFailures":[{"itemIdentifier":"$3"}]}
----
nothing

put s0 a b c d e f g h
----
     0.0s answer s0 [a b c d e f g h]

advance 1s
----
     0.2s ok s0 [c d e f g h]

function fail 1
----
nothing

put s0 a b c d e f g h
----
     1.0s fail s0 [a b c d e f g h]
     1.0s ok s0 [a b c d]
     1.0s ok s0 [e f g h]

advance 1s
----
nothing

function answers 1
{"batchItemFailures":[{"itemIdentifier":""}]}
----
nothing

put s0 a b c d e f g h
----
     2.0s answer s0 [a b c d e f g h]
     2.0s ok s0 [a b c d]
     2.0s ok s0 [e f g h]

# The example of the documentation: a batch of ten in which 4, 7 and 10 fail. Four
# invocations bring all others through.
update batch=10 retries=-1 bisect=false
----
Updating batch=8 window=0 "OK"

function poison=(4,7,10) reports
----
nothing

put s0 1 2 3 4 5 6 7 8 9 10
----
     2.0s partly(3) s0 [1 2 3 4 5 6 7 8 9 10]

function poison=(7,10) reports
----
nothing

advance 300ms
----
     2.2s partly(2) s0 [4 5 6 7 8 9 10]

function poison=10 reports
----
nothing

advance 150ms
----
     2.4s partly(1) s0 [7 8 9 10]

function ok
----
nothing

advance 1s
----
     2.6s ok s0 [10]
