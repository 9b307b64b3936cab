# A batch takes what is there; one invocation at a time.
create batch=3
----
Creating batch=3 window=0 "No records processed"

put s0 a
----
     0.0s ok s0 [a]

function ok takes=2s
----
nothing

put s0 b
----
     0.0s invoke s0 [b]

put s0 c d e f
----
nothing

advance 2s
----
     2.0s ok s0 [b]
     2.0s invoke s0 [c d e]

advance 10s
----
     4.0s ok s0 [c d e]
     4.0s invoke s0 [f]
     6.0s ok s0 [f]

show
----
Enabled batch=3 window=0 "OK"
s0 waiting next=7 attempts=0 
