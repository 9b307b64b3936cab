# A function that is deleted under its mapping and made again: the mapping stays
# enabled and goes on where it was. What was in hand waits without using attempts.
create batch=2 retries=0
----
Creating batch=2 window=0 "No records processed"

put s0 a
----
     0.0s ok s0 [a]

function missing
----
nothing

put s0 b c d
----
     0.0s missing s0 [b c]

advance 1m
----
     0.2s missing s0 [b c]
     0.6s missing s0 [b c]
     1.4s missing s0 [b c]
     3.0s missing s0 [b c]
     6.2s missing s0 [b c]
    12.6s missing s0 [b c]
    25.4s missing s0 [b c]
    51.0s missing s0 [b c]

show
----
Enabled batch=2 window=0 "PROBLEM: Function call failed"
s0 retrying next=2 attempts=9 invoke f: function does not exist

function ok
----
nothing

advance 1m
----
    81.0s ok s0 [b c]
    81.0s ok s0 [d]
