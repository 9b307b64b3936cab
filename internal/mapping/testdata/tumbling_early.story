# A state over 1 MB ends the window early: the invocation counts as a success, the
# final one gets the whole state, and later records of the same time find a fresh
# one. Just at the limit the window goes on.
create tumbling=60 batch=2
----
Creating batch=2 window=0 "No records processed"

function counts pad=1048559
----
nothing

put s0 a
----
     0.0s ok s0 [a] in 00:00-01:00 state {}

# {"n":1,"pad":"..."} of 1048559 + 16 bytes is one under it, one more is at it.
function counts pad=1048560
----
nothing

put s0 b
----
     0.0s ok s0 [b] in 00:00-01:00 state of 1048575 bytes

function counts pad=1048561
----
nothing

put s0 c
----
     0.0s ok s0 [c] in 00:00-01:00 state of 1048576 bytes
     0.0s ok s0 [] in 00:00-01:00 state of 1048577 bytes final early

function counts
----
nothing

put s0 d
----
     0.0s ok s0 [d] in 00:00-01:00 state {}

# The terminated window had its final invocation; what is left of it has one too.
advance 1m
----
nothing

# Nothing is left: no second final invocation.
function counts pad=1048561
----
nothing

put s0 e
----
    60.0s ok s0 [] in 00:00-01:00 state {"n":1} final
    60.0s ok s0 [e] in 01:00-02:00 state {}
    60.0s ok s0 [] in 01:00-02:00 state of 1048577 bytes final early

function counts
----
nothing

advance 2m
----
nothing

put s0 f
----
   180.0s ok s0 [f] in 03:00-04:00 state {}

# What is left of a batch of which a part brought the state over the limit comes
# after the final invocation, with a fresh state.
update report
----
Updating batch=2 window=0 "OK"

function poison=h reports counts pad=1048600 1
----
nothing

put s0 g h
----
   180.0s partly(1) s0 [g h] in 03:00-04:00 state {"n":1}

advance 1s
----
   180.2s ok s0 [] in 03:00-04:00 state of 1048616 bytes final early
   180.2s ok s0 [h] in 03:00-04:00 state {}

advance 1m
----
   240.2s ok s0 [] in 03:00-04:00 state {"n":1} final
