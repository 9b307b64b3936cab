# The children of a split wait for the last batch of their parent, also while it
# fails; then they are read beside each other. A child of two waits for both.
create batch=2
----
Creating batch=2 window=0 "No records processed"

function ok takes=2s
----
nothing

put s0 a b c
----
     0.0s invoke s0 [a b]

split s0 s1 s2
----
nothing

put s1 d
----
nothing

put s2 e
----
nothing

advance 1s
----
nothing

advance 3s
----
     2.0s ok s0 [a b]
     2.0s invoke s0 [c]
     4.0s ok s0 [c]
     4.0s invoke s1 [d]
     4.0s invoke s2 [e]

# They are in the hands of the function now.
merge s1 s2 s3
----
nothing

put s3 f
----
nothing

advance 1s
----
nothing

advance 10s
----
     6.0s ok s1 [d]
     6.0s ok s2 [e]
     6.0s invoke s3 [f]
     8.0s ok s3 [f]

# A shard that ends while its parent's sibling still fails.
split s3 s4 s5
----
nothing

function poison=bad
----
nothing

put s4 g
----
    15.0s ok s4 [g]

put s5 bad
----
    15.0s fail s5 [bad]

merge s4 s5 s6
----
nothing

put s6 h
----
nothing

advance 5s
----
    15.2s fail s5 [bad]
    15.6s fail s5 [bad]
    16.4s fail s5 [bad]
    18.0s fail s5 [bad]

function ok
----
nothing

advance 10s
----
    21.2s ok s5 [bad]
    21.2s ok s6 [h]

# Closed shards stay done.
crash
----
nothing

put s6 i
----
    30.0s ok s6 [i]
