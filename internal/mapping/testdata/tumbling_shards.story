# Each shard has windows of its own. They do not survive a reshard: the end of a
# shard closes its window, and its children begin with fresh ones.
create tumbling=60
----
Creating batch=100 window=0 "No records processed"

function counts
----
nothing

put s0 a b
----
     0.0s ok s0 [a b] in 00:00-01:00 state {}

split s0 s1 s2
----
     0.0s ok s0 [] in 00:00-01:00 state {"n":2} final

put s1 c
----
     0.0s ok s1 [c] in 00:00-01:00 state {}

put s2 d
----
     0.0s ok s2 [d] in 00:00-01:00 state {}

advance 10s
----
nothing

put s2 e
----
    10.0s ok s2 [e] in 00:00-01:00 state {"n":1}

merge s1 s2 s3
----
    10.0s ok s1 [] in 00:00-01:00 state {"n":1} final
    10.0s ok s2 [] in 00:00-01:00 state {"n":2} final

put s3 f
----
    10.0s ok s3 [f] in 00:00-01:00 state {}

advance 1m
----
    60.2s ok s3 [] in 00:00-01:00 state {"n":1} final

# Off and on again, the open window waits. It is closed when its time is over.
put s3 g
----
    70.0s ok s3 [g] in 01:00-02:00 state {}

update enabled=false
----
Disabling batch=100 window=0 "OK"

advance 10s
----
nothing

put s3 h
----
nothing

update enabled=true
----
Enabling batch=100 window=0 "OK"
    80.0s ok s3 [h] in 01:00-02:00 state {"n":1}

update enabled=false
----
Disabling batch=100 window=0 "OK"

advance 1m
----
nothing

update enabled=true
----
Enabling batch=100 window=0 "OK"
   140.0s ok s3 [] in 01:00-02:00 state {"n":2} final

# Another length: the open window keeps its own until it is closed.
put s3 i
----
   140.0s ok s3 [i] in 02:00-03:00 state {}

update tumbling=7
----
Updating batch=100 window=0 "OK"

put s3 j
----
   140.0s ok s3 [j] in 02:00-03:00 state {"n":1}

advance 1m
----
   180.2s ok s3 [] in 02:00-03:00 state {"n":2} final

put s3 k
----
   200.0s ok s3 [k] in 03:18-03:25 state {}

advance 10s
----
   205.2s ok s3 [] in 03:18-03:25 state {"n":1} final

# Without windows: the open one is closed at once.
put s3 l
----
   210.0s ok s3 [l] in 03:25-03:32 state {}

update tumbling=0
----
Updating batch=100 window=0 "OK"
   210.0s ok s3 [] in 03:25-03:32 state {"n":1} final

put s3 m
----
   210.0s ok s3 [m]

# With several lanes too.
update tumbling=600
----
Updating batch=100 window=0 "OK"

put s3 n
----
   210.0s ok s3 [n] in 00:00-10:00 state {}

update tumbling=0 factor=2
----
Updating batch=100 window=0 "OK"
   210.0s ok s3 [] in 00:00-10:00 state {"n":1} final

put s3 o
----
   210.0s ok s3 [o]

update tumbling=60
----
error: TumblingWindowInSeconds requires a ParallelizationFactor of 1.

update tumbling=60 factor=1
----
Updating batch=100 window=0 "OK"
