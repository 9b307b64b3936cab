# An event over 6 MB cannot be delivered; the next one waits behind it.
create
----
Creating batch=100 window=0 "No records processed"

put s0 bytes:7000000 a
----
nothing

advance 1s
----
nothing

show
----
Enabled batch=100 window=0 "PROBLEM: Function call failed"
s0 retrying next=1 attempts=3 the event exceeds 6291456 bytes, the limit of an invocation
