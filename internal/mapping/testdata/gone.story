# A mapping outlives its source and its function.
create
----
Creating batch=100 window=0 "No records processed"

remove
----
nothing

advance 10s
----
nothing

show
----
Enabled batch=100 window=0 "PROBLEM: Event source not found"
s0 waiting next=1 attempts=0 

restore
----
nothing

put s0 a
----
nothing

advance 10s
----
    12.0s ok s0 [a]

function missing 2
----
nothing

put s0 b
----
    20.0s missing s0 [b]

advance 5s
----
    20.2s missing s0 [b]
    20.6s ok s0 [b]
