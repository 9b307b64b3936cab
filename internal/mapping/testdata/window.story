# A batching window gathers until the batch is full, the window is over, or the
# event would exceed 6 MB.
create batch=4 window=10
----
Creating batch=4 window=10 "No records processed"

put s0 a b
----
nothing

advance 9s
----
nothing

put s0 c
----
nothing

advance 1s
----
    10.0s ok s0 [a b c]

put s0 d e f g h
----
    10.0s ok s0 [d e f g]

advance 10s
----
    20.0s ok s0 [h]

put s0 bytes:2500000 bytes:2500000 bytes:2500000
----
    20.0s ok s0 [2500000 bytes 2500000 bytes]

advance 20s
----
    30.0s ok s0 [2500000 bytes]
