# A batch with a batching window waits from its first record on. The next window
# begins when the invocation has ended.
create batch=3 window=5
----
Creating batch=3 window=5 "No records processed"

function ok takes=2s
----
nothing

put s0 a
----
nothing

advance 4s
----
nothing

put s0 b
----
nothing

advance 1s
----
     5.0s invoke s0 [a b]

put s0 c
----
nothing

advance 2s
----
     7.0s ok s0 [a b]

advance 4s
----
nothing

advance 1s
----
    12.0s invoke s0 [c]

# A full batch does not wait.
put s0 d e f g
----
nothing

advance 10s
----
    14.0s ok s0 [c]
    14.0s invoke s0 [d e f]
    16.0s ok s0 [d e f]
    21.0s invoke s0 [g]

# Nor does one of a shard that has ended.
put s0 h
----
nothing

close s0
----
nothing

advance 2s
----
    23.0s ok s0 [g]
    23.0s invoke s0 [h]
