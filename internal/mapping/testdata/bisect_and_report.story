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
