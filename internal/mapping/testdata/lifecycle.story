create disabled batch=10
----
Creating batch=10 window=0 "No records processed"

put s0 a b
----
nothing

show
----
Disabled batch=10 window=0 "No records processed"

update enabled=true
----
Enabling batch=10 window=0 "No records processed"
     0.0s ok s0 [a b]

show
----
Enabled batch=10 window=0 "OK"
s0 waiting next=3 attempts=0 

function ok takes=5s
----
nothing

put s0 c
----
     0.0s invoke s0 [c]

# A mapping that is being disabled lets the invocation in flight finish.
update enabled=false
----
Disabling batch=10 window=0 "OK"

show
----
Disabling batch=10 window=0 "OK"
s0 invoking next=3 attempts=0 

update batch=5
----
error: Cannot update the event source mapping because it is in use.

delete
----
error: Cannot delete the event source mapping because it is in use.

advance 5s
----
     5.0s ok s0 [c]

show
----
Disabled batch=10 window=0 "OK"
s0 stopped next=3 attempts=0 

put s0 d
----
nothing

update enabled=true batch=1
----
Enabling batch=10 window=0 "OK"
     5.0s invoke s0 [d]

restart
----
    10.0s ok s0 [d]

put s0 e
----
    10.0s invoke s0 [e]

advance 30s
----
    15.0s ok s0 [e]

show
----
Enabled batch=1 window=0 "OK"
s0 waiting next=6 attempts=0 

delete
----
Deleting batch=1 window=0 "OK"

show
----
error: The resource you requested does not exist.

put s0 f
----
nothing
