# TumblingWindowInSeconds: state is handed from one invocation to the next in the
# same window of arrival times, which begins at a multiple of its length. The final
# invocation has no records; it comes before the first one of the next window, whose
# state is fresh, or soon after the end of the window when nothing more arrives.
create tumbling=10 batch=2
----
Creating batch=2 window=0 "No records processed"

function counts
----
nothing

advance 1s
----
nothing

put s0 a b c
----
     1.0s ok s0 [a b] in 00:00-00:10 state {}
     1.0s ok s0 [c] in 00:00-00:10 state {"n":2}

advance 3s
----
nothing

put s0 d
----
     4.0s ok s0 [d] in 00:00-00:10 state {"n":3}

advance 6s
----
nothing

# At 10.25 s the window was closed. A record that arrives exactly on a boundary
# belongs to the window that begins there.
put s0 e at=0s
----
    10.0s ok s0 [] in 00:00-00:10 state {"n":4} final
    10.0s ok s0 [e] in 00:10-00:20 state {}

advance 9s
----
nothing

# A batch that spans a boundary is cut at it, and the final invocation comes between.
put s0 f at=900ms
----
    19.0s ok s0 [f] in 00:10-00:20 state {"n":1}

put s0 g at=1s
----
    19.0s ok s0 [g] in 00:10-00:20 state {"n":2}

advance 500ms
----
nothing

# Windows in which nothing arrived are not heard of.
advance 1h
----
    20.2s ok s0 [] in 00:10-00:20 state {"n":3} final

put s0 h
----
  3619.5s ok s0 [h] in 00:10-00:20 state {}

# A record that is older than the open window, because the clock was set back,
# counts in the open one.
put s0 i at=-20s
----
  3619.5s ok s0 [i] in 00:10-00:20 state {"n":1}

advance 1m
----
  3620.2s ok s0 [] in 00:10-00:20 state {"n":2} final

# One that arrived by a clock that was ahead opens the window of its time, which
# closes when that time has come.
put s0 j at=15s
----
  3679.5s ok s0 [j] in 01:10-01:20 state {}

put s0 k
----
  3679.5s ok s0 [k] in 01:10-01:20 state {"n":1}

advance 10s
----
  3680.2s ok s0 [] in 01:10-01:20 state {"n":2} final

advance 20s
----
nothing

# Of a table it is the same.
create of=table table tumbling=10 start=LATEST
----
Creating batch=100 window=0 "No records processed"

put s0 l
----
  3709.5s ok s0 [l] in 01:40-01:50 state {}
  3709.5s ok s0 [l] in 01:40-01:50 state {}

advance 20s
----
  3710.2s ok s0 [] in 01:40-01:50 state {"n":1} final
  3710.2s ok s0 [] in 01:40-01:50 state {"n":1} final
