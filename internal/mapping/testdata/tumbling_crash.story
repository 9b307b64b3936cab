# State and position are written together: after a crash both are those of one
# moment. What was not on disk is done again, from the state before it.
create tumbling=60 batch=10
----
Creating batch=10 window=0 "No records processed"

function counts
----
nothing

put s0 a
----
     0.0s ok s0 [a] in 00:00-01:00 state {}

advance 1s
----
nothing

put s0 b
----
     1.0s ok s0 [b] in 00:00-01:00 state {"n":1}

# The checkpoint of a was synced while the shard was idle; that of b was not.
crash
----
     1.0s ok s0 [b] in 00:00-01:00 state {"n":1}

advance 1s
----
nothing

crash
----
nothing

put s0 c
----
     2.0s ok s0 [c] in 00:00-01:00 state {"n":2}

restart
----
nothing

put s0 d
----
     2.0s ok s0 [d] in 00:00-01:00 state {"n":3}

# In the middle of an invocation.
function counts takes=5s
----
nothing

put s0 e
----
     2.0s invoke s0 [e] in 00:00-01:00 state {"n":4}

advance 2s
----
nothing

crash
----
     4.0s invoke s0 [d e] in 00:00-01:00 state {"n":3}

advance 10s
----
     9.0s ok s0 [d e] in 00:00-01:00 state {"n":3}

# In the middle of the final one, which comes again.
advance 48s
----
    60.2s invoke s0 [] in 00:00-01:00 state {"n":5} final

crash
----
    62.0s invoke s0 [] in 00:00-01:00 state {"n":5} final

advance 1m
----
    67.0s ok s0 [] in 00:00-01:00 state {"n":5} final

# While it was down the window's end passed.
function counts
----
nothing

put s0 f
----
   122.0s ok s0 [f] in 02:00-03:00 state {}

remove
----
nothing

crash
----
nothing

advance 2m
----
nothing

restore
----
nothing

advance 10s
----
   244.0s ok s0 [] in 02:00-03:00 state {"n":1} final
