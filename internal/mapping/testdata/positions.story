# Where reading starts. A shard that exists when the mapping is made is read from
# the position; one that comes later from its beginning.
put s0 a
----
nothing

advance 10s
----
nothing

put s0 b
----
nothing

advance 10s
----
nothing

put s0 c
----
nothing

create of=horizon start=TRIM_HORIZON function=f:horizon
----
Creating batch=100 window=0 "No records processed"
    20.0s ok s0 [a b c]

create of=latest start=LATEST function=f:latest
----
Creating batch=100 window=0 "No records processed"

create of=inside start=AT_TIMESTAMP at=10 function=f:inside
----
Creating batch=100 window=0 "No records processed"
    20.0s ok s0 [b c]

create of=between start=AT_TIMESTAMP at=11 function=f:between
----
Creating batch=100 window=0 "No records processed"
    20.0s ok s0 [c]

create of=before start=AT_TIMESTAMP at=-1000 function=f:before
----
Creating batch=100 window=0 "No records processed"
    20.0s ok s0 [a b c]

create of=after start=AT_TIMESTAMP at=20 function=f:after
----
Creating batch=100 window=0 "No records processed"
    20.0s ok s0 [c]

create of=future start=AT_TIMESTAMP at=21 function=f:future
----
error: StartingPositionTimestamp cannot be in the future.

create of=none start=AT_TIMESTAMP function=f:none
----
error: StartingPositionTimestamp is required with the starting position AT_TIMESTAMP.

create start=LATEST at=10
----
error: Timestamp only valid with StartingPosition AT_TIMESTAMP

# A time before 1970.
create of=ancient start=AT_TIMESTAMP at=-1000000000 function=f:ancient
----
error: Received Exception while reading from provided stream. class java.lang.Long can not be converted to a Timestamp

create table start=AT_TIMESTAMP at=10
----
error: Unsupported starting position for arn type: arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2000-01-01T00:00:00.000

# All of them read what comes now, and new shards.
put s0 d
----
    20.0s ok s0 [d]
    20.0s ok s0 [d]
    20.0s ok s0 [d]
    20.0s ok s0 [d]
    20.0s ok s0 [d]
    20.0s ok s0 [d]

split s0 s1 s2
----
nothing

put s1 e
----
    20.0s ok s1 [e]
    20.0s ok s1 [e]
    20.0s ok s1 [e]
    20.0s ok s1 [e]
    20.0s ok s1 [e]
    20.0s ok s1 [e]
