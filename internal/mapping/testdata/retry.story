# A failing batch is repeated whole, with growing pauses, and blocks its shard
# only. Nothing passes it.
create batch=2
----
Creating batch=2 window=0 "No records processed"

function fail 3
----
nothing

put s0 a b c
----
     0.0s fail s0 [a b]

advance 1500ms
----
     0.2s fail s0 [a b]
     0.6s fail s0 [a b]
     1.4s ok s0 [a b]
     1.4s ok s0 [c]

show
----
Enabled batch=2 window=0 "OK"
s0 waiting next=4 attempts=0 

# Without an end, it is repeated until its records expire.
function fail
----
nothing

put s0 d
----
     1.5s fail s0 [d]

advance 10m
----
     1.7s fail s0 [d]
     2.1s fail s0 [d]
     2.9s fail s0 [d]
     4.5s fail s0 [d]
     7.7s fail s0 [d]
    14.1s fail s0 [d]
    26.9s fail s0 [d]
    52.5s fail s0 [d]
          ... 16 more
   562.5s fail s0 [d]
   592.5s fail s0 [d]

advance 24h
----
   622.5s fail s0 [d]
   652.5s fail s0 [d]
   682.5s fail s0 [d]
   712.5s fail s0 [d]
   742.5s fail s0 [d]
   772.5s fail s0 [d]
   802.5s fail s0 [d]
   832.5s fail s0 [d]
          ... 2850 more
 86362.5s fail s0 [d]
 86392.5s fail s0 [d]

put s0 e
----
 87001.5s fail s0 [e]

function ok
----
nothing

advance 1m
----
 87001.7s ok s0 [e]

show
----
Enabled batch=2 window=0 "OK"
s0 waiting next=6 attempts=0  discarded=0 lost=1
