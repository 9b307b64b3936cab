# ParallelizationFactor: a shard is cut into lanes by the keys of its records. Each
# lane has one batch at a time; the lanes run beside each other.
create factor=10 batch=30
----
Creating batch=30 window=0 "No records processed"

function ok takes=1s
----
nothing

put s0 a/1 b/1 c/1 d/1 e/1 f/1 g/1 h/1 i/1 j/1 k/1 l/1 m/1 n/1 o/1 p/1 q/1 r/1 s/1 t/1 u/1 v/1 w/1 x/1 y/1 z/1
----
     0.0s invoke s0 [a/1 r/1 v/1 z/1]
     0.0s invoke s0 [b/1 h/1]
     0.0s invoke s0 [c/1 j/1 u/1]
     0.0s invoke s0 [d/1]
     0.0s invoke s0 [e/1 i/1 o/1 w/1]
     0.0s invoke s0 [f/1 g/1]
     0.0s invoke s0 [k/1]
     0.0s invoke s0 [l/1 m/1 p/1]
     0.0s invoke s0 [n/1 t/1 y/1]
     0.0s invoke s0 [q/1 s/1 x/1]

# The records of a key wait for those before them, whatever the other lanes do.
put s0 a/2 a/3 b/2
----
nothing

advance 10s
----
     1.0s ok s0 [a/1 r/1 v/1 z/1]
     1.0s invoke s0 [a/2 a/3]
     1.0s ok s0 [b/1 h/1]
     1.0s invoke s0 [b/2]
     1.0s ok s0 [c/1 j/1 u/1]
     1.0s ok s0 [d/1]
     1.0s ok s0 [e/1 i/1 o/1 w/1]
     1.0s ok s0 [f/1 g/1]
     1.0s ok s0 [k/1]
     1.0s ok s0 [l/1 m/1 p/1]
     1.0s ok s0 [n/1 t/1 y/1]
     1.0s ok s0 [q/1 s/1 x/1]
     2.0s ok s0 [a/2 a/3]
     2.0s ok s0 [b/2]

show
----
Enabled batch=30 window=0 "OK"
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 
s0 waiting next=30 attempts=0 

# One key that fails blocks its lane. The others go on, and the records of the key
# keep their order.
update factor=4
----
Updating batch=30 window=0 "OK"

function poison=bad
----
nothing

put s0 a/bad b/4 c/4 d/4
----
    10.0s fail s0 [a/bad]
    10.0s ok s0 [b/4 d/4]
    10.0s ok s0 [c/4]

put s0 a/5 b/5 c/5 d/5
----
    10.0s ok s0 [b/5 d/5]
    10.0s ok s0 [c/5]

advance 1s
----
    10.2s fail s0 [a/bad]
    10.6s fail s0 [a/bad]

# After a crash nothing that was not processed is skipped, and nothing comes before
# what it has to wait for. What other lanes have done is not done again.
advance 1s
----
    11.4s fail s0 [a/bad]

crash
----
    12.0s fail s0 [a/bad a/5]

function ok
----
nothing

advance 10s
----
    12.2s ok s0 [a/bad a/5]

# Nor is it when the factor is another one.
function poison=bad
----
nothing

put s0 a/bad b/6 c/6 d/6 a/6
----
    22.0s fail s0 [a/bad a/6]
    22.0s ok s0 [b/6 d/6]
    22.0s ok s0 [c/6]

advance 1s
----
    22.2s fail s0 [a/bad a/6]
    22.6s fail s0 [a/bad a/6]

update factor=3
----
Updating batch=30 window=0 "PROBLEM: Function call failed"
    23.0s fail s0 [a/bad a/6]

update factor=1
----
Updating batch=30 window=0 "PROBLEM: Function call failed"
    23.0s fail s0 [a/bad a/6]

function ok
----
nothing

advance 10s
----
    23.2s ok s0 [a/bad a/6]

put s0 a/7 b/7
----
    33.0s ok s0 [a/7 b/7]
