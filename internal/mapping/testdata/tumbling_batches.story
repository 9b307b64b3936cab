# A batching window does not outlast the tumbling one.
create tumbling=10 window=30 batch=100
----
Creating batch=100 window=30 "No records processed"

function counts
----
nothing

advance 4s
----
nothing

put s0 a
----
nothing

advance 3s
----
nothing

put s0 b
----
nothing

advance 20s
----
    10.2s ok s0 [a b] in 00:00-00:10 state {}
    10.2s ok s0 [] in 00:00-00:10 state {"n":2} final

# Nor does a batch go on for longer than its own.
update tumbling=60 window=5
----
Updating batch=100 window=30 "OK"

put s0 c
----
nothing

advance 4s
----
nothing

put s0 d
----
nothing

advance 2s
----
    32.0s ok s0 [c d] in 00:00-01:00 state {}

put s0 e
----
nothing

advance 1m
----
    38.0s ok s0 [e] in 00:00-01:00 state {"n":2}
    60.2s ok s0 [] in 00:00-01:00 state {"n":3} final

# Records that were accepted before the end belong to their window while it is open,
# also when they are read late: here the function was busy when they came.
update tumbling=10 window=0
----
Updating batch=100 window=5 "OK"

function counts takes=6s
----
nothing

put s0 f
----
    93.0s invoke s0 [f] in 01:30-01:40 state {}

advance 3s
----
nothing

put s0 g h
----
nothing

advance 30s
----
    99.0s ok s0 [f] in 01:30-01:40 state {}
    99.0s invoke s0 [g h] in 01:30-01:40 state {"n":1}
   105.0s ok s0 [g h] in 01:30-01:40 state {"n":1}
   105.0s invoke s0 [] in 01:30-01:40 state {"n":3} final
   111.0s ok s0 [] in 01:30-01:40 state {"n":3} final
