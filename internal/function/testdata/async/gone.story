# Events of a function that is deleted are dropped, and its configuration with it.
answers error
----
ok

config on-failure=arn:aws:sqs:us-east-1:000000000000:lost
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:sqs:us-east-1:000000000000:lost"

invoke
{}
----
+0s run {}: error

delete
----
ok

advance 1h
----
ok

get
----
The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig

list
----
The function doesn't exist.

invoke
----
Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST

metrics
----
+1h0m0s AsyncEventAge: 1 values, sum 0
+1h0m0s AsyncEventsDropped: 1 values, sum 1
+1h0m0s AsyncEventsReceived: 1 values, sum 1
+1h0m0s DeadLetterErrors: 0 values, sum 0
+1h0m0s DestinationDeliveryFailures: 0 values, sum 0
