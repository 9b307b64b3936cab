get
----
The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig

update retries=1
----
The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig

delete-config
----
The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig

list
----
ok

config
----
You must specify at least one of error handling or destination setting.

config retries=1
----
+0s f:$LATEST retries=1 age=default on-success="" on-failure=""

update age=90 on-success=arn:aws:sqs:us-east-1:000000000000:q
----
+0s f:$LATEST retries=1 age=90 on-success="arn:aws:sqs:us-east-1:000000000000:q" on-failure=""

update retries=0
----
+0s f:$LATEST retries=0 age=90 on-success="arn:aws:sqs:us-east-1:000000000000:q" on-failure=""

config on-failure=arn:aws:s3:::b
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:s3:::b"

list
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:s3:::b"

config retries=3
----
MaximumRetryAttempts must be between 0 and 2

config age=59
----
MaximumEventAgeInSeconds must be between 60 and 21600

# Targets that records cannot go to.
config on-success=arn:aws:s3:::b
----
The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid.

config on-failure=arn:aws:iam:us-east-1:000000000000:function:f
----
The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=arn:aws:iam:us-east-1:000000000000:function:f)) is invalid.

config on-success=arn:aws:events:us-east-1:000000000000:event-bus/default
----
Weir does not send records to event buses yet (arn:aws:events:us-east-1:000000000000:event-bus/default); queues, topics, functions and, on failure, buckets are possible.

config on-success=arn:aws:lambda:us-east-1:000000000000:function:none
----
The destination ARN arn:aws:lambda:us-east-1:000000000000:function:none is invalid.

config on-success=arn:aws:lambda:us-east-1:000000000000:function:f
----
You can't specify the function as a destination for itself.

config on-failure=kafka://topic
----
The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=kafka://topic)) is invalid.

restart
----
ok

get
----
+0s f:$LATEST retries=default age=default on-success="" on-failure="arn:aws:s3:::b"

delete-config
----
ok

get
----
The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig
