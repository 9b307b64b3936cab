# Children wait until the last batch of their parent is done.
create batch=2 start=LATEST
----
Creating batch=2 window=0 "No records processed"

put s0 a
----
     0.0s ok s0 [a]

function fail
----
nothing

put s0 b c d
----
     0.0s fail s0 [b c]

split s0 s1 s2
----
nothing

put s1 e
----
nothing

put s2 f
----
nothing

advance 10s
----
     0.2s fail s0 [b c]
     0.6s fail s0 [b c]
     1.4s fail s0 [b c]
     3.0s fail s0 [b c]
     6.2s fail s0 [b c]

function ok
----
nothing

advance 1m
----
    12.6s ok s0 [b c]
    12.6s ok s0 [d]
    12.6s ok s1 [e]
    12.6s ok s2 [f]

show
----
Enabled batch=2 window=0 "OK"
s0 done next=5 attempts=0 
s1 waiting next=2 attempts=0 
s2 waiting next=2 attempts=0 

restart
----
nothing

put s2 g
----
    70.0s ok s2 [g]
