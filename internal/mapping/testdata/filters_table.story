# Filters of the changes of a table see the whole record, with type descriptors.
create table batch=10 filters
{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":["v"]}}}}
{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}
----
Creating batch=10 window=0 "No records processed"

put s0
{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"v"}}}}
{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":{"S":"v"}}}}
{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"w"}}}}
{"eventName":"REMOVE","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"dynamodb":{"Keys":{"pk":{"S":"w"}}}}
----
     0.0s ok s0 [change 1 change 4]

# Without the descriptor nothing matches.
update filters
{"dynamodb":{"Keys":{"pk":["v"]}}}
----
Updating batch=10 window=0 "OK"

put s0
{"eventName":"INSERT","dynamodb":{"Keys":{"pk":{"S":"v"}}}}
----
nothing

# An attribute is not a leaf, so it never exists: this matches with and without it.
update filters
{"dynamodb":{"NewImage":{"a":[{"exists":false}]}}}
----
Updating batch=10 window=0 "OK"

put s0
{"eventName":"INSERT","dynamodb":{"NewImage":{"a":{"S":"v"}}}}
{"eventName":"INSERT","dynamodb":{"NewImage":{"b":{"S":"v"}}}}
----
     0.0s ok s0 [change 6 change 7]

# Numbers of items are text: numeric never matches them, anything-but does.
update filters
{"dynamodb":{"NewImage":{"n":{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}}}}
----
Updating batch=10 window=0 "OK"

put s0
{"eventName":"INSERT","dynamodb":{"NewImage":{"n":{"N":"42"}}}}
{"eventName":"INSERT","dynamodb":{"NewImage":{"n":{"N":"101"}}}}
----
     0.0s ok s0 [change 8]

update filters
{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",0]}]}}
----
Updating batch=10 window=0 "OK"

put s0
{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1789654448.0}}
----
     0.0s ok s0 [change 10]
