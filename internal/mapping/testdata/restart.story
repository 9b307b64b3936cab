# The checkpoint survives; an invocation that was cut off is repeated.
create batch=10
----
Creating batch=10 window=0 "No records processed"

put s0 a b
----
     0.0s ok s0 [a b]

restart
----
nothing

put s0 c
----
     0.0s ok s0 [c]

function ok takes=1m
----
nothing

put s0 d
----
     0.0s invoke s0 [d]

restart
----
     5.0s cut off s0 [d]
     5.0s invoke s0 [d]

function ok
----
nothing

advance 2m
----
    65.0s ok s0 [d]

show
----
Enabled batch=10 window=0 "OK"
s0 waiting next=5 attempts=0 
