# Two mappings on one stream do not disturb each other.
unordered
----
nothing

create of=slow batch=1 function=f
----
Creating batch=1 window=0 "No records processed"

create of=fast batch=10 function=g
----
Creating batch=10 window=0 "No records processed"

function ok takes=1s
----
nothing

put s0 a b c
----
     0.0s invoke s0 [a b c]
     0.0s invoke s0 [a]

advance 10s
----
     1.0s ok s0 [a b c]
     1.0s ok s0 [a]
     1.0s invoke s0 [b]
     2.0s ok s0 [b]
     2.0s invoke s0 [c]
     3.0s ok s0 [c]

show of=slow
----
Enabled batch=1 window=0 "OK"
s0 waiting next=4 attempts=0 

update of=slow enabled=false
----
Disabling batch=1 window=0 "OK"

put s0 d
----
    10.0s invoke s0 [d]

advance 2s
----
    11.0s ok s0 [d]

show of=fast
----
Enabled batch=10 window=0 "OK"
s0 waiting next=5 attempts=0 

restart
----
nothing

update of=slow enabled=true
----
Enabling batch=1 window=0 "OK"
    12.0s invoke s0 [d]

advance 2s
----
    13.0s ok s0 [d]

delete of=fast
----
Deleting batch=10 window=0 "OK"

put s0 e
----
    14.0s invoke s0 [e]

advance 2s
----
    15.0s ok s0 [e]
