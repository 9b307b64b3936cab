# Tags that are set while an update waits for the invocation in flight stay, and so
# does the update.
create batch=3
----
Creating batch=3 window=0 "No records processed"

function ok takes=10s
----
nothing

put s0 a
----
     0.0s invoke s0 [a]

update batch=5
----
Updating batch=3 window=0 "No records processed"

tag blue
----
nothing

show
----
Updating batch=3 window=0 "No records processed"
map[tag:blue]
s0 invoking next=1 attempts=0 

advance 10s
----
    10.0s ok s0 [a]

show
----
Enabled batch=5 window=0 "OK"
map[tag:blue]
s0 waiting next=2 attempts=0 

restart
----
nothing

show
----
Enabled batch=5 window=0 "OK"
map[tag:blue]
s0 waiting next=2 attempts=0 

# A mapping that is being deleted has none any more, also after a crash.
put s0 b
----
    10.0s invoke s0 [b]

delete
----
Deleting batch=5 window=0 "OK"

tag red
----
error: The resource you requested does not exist.

crash
----
nothing

show
----
error: The resource you requested does not exist.
