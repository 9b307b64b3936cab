# Every parameter with a value that is out of its range, when a mapping is made and
# when it is changed.
create factor=0
----
error: 1 validation error detected: Value '0' at 'parallelizationFactor' failed to satisfy constraint: Member must have value greater than or equal to 1

create factor=11
----
error: 1 validation error detected: Value '11' at 'parallelizationFactor' failed to satisfy constraint: Member must have value less than or equal to 10

create tumbling=-1
----
error: 1 validation error detected: Value '-1' at 'tumblingWindowInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 0

create tumbling=901
----
error: 1 validation error detected: Value '901' at 'tumblingWindowInSeconds' failed to satisfy constraint: Member must have value less than or equal to 900

create tumbling=10 factor=2
----
error: TumblingWindowInSeconds requires a ParallelizationFactor of 1.

create age=-2
----
error: 1 validation error detected: Value '-2' at 'maximumRecordAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to -1

create age=0
----
error: MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)

create age=59
----
error: MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)

create age=604801
----
error: 1 validation error detected: Value '604801' at 'maximumRecordAgeInSeconds' failed to satisfy constraint: Member must have value less than or equal to 604800

create retries=-2
----
error: 1 validation error detected: Value '-2' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value greater than or equal to -1

create retries=10001
----
error: 1 validation error detected: Value '10001' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 10000

create window=-1
----
error: 1 validation error detected: Value '-1' at 'maximumBatchingWindowInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 0

create responses=Other
----
error: 1 validation error detected: Value '[Other]' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]

create responses=(ReportBatchItemFailures,Other)
----
error: 2 validation errors detected: Value '[ReportBatchItemFailures, Other]' at 'functionResponseTypes' failed to satisfy constraint: Member must have length less than or equal to 1; Value '[ReportBatchItemFailures, Other]' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]

create destination=arn:aws:kinesis:us-east-1:000000000000:stream/s
----
error: The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=arn:aws:kinesis:us-east-1:000000000000:stream/s)) is invalid.

create destination=queue
----
error: The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=queue)) is invalid.

create destination=arn:aws:sqs:us-east-1:000000000000:dead.fifo
----
error: The destination ARN arn:aws:sqs:us-east-1:000000000000:dead.fifo is invalid: FIFO queues and FIFO topics are not supported.

create destination=arn:aws:sns:us-east-1:000000000000:dead.fifo
----
error: The destination ARN arn:aws:sns:us-east-1:000000000000:dead.fifo is invalid: FIFO queues and FIFO topics are not supported.

create success=arn:aws:sqs:us-east-1:000000000000:done
----
error: Unsupported DestinationConfig parameter for given event source mapping type.

create filters
{"data":7}
----
error: Invalid filter pattern definition.

# The source is checked before the function, and the parameters in between.
create source= function=nope
----
error: Unrecognized event source.

create source=arn:aws:kinesis:us-east-1:000000000000:stream/nope function=nope
----
error: Function does not exist

create success=x function=nope
----
error: Unsupported DestinationConfig parameter for given event source mapping type.

# All that is allowed, at its bounds.
create batch=10000 window=300 factor=10 age=604800 retries=10000 bisect report metrics destination=arn:aws:s3:::b disabled
----
Creating batch=10000 window=300 "No records processed"

update batch=1 window=0 factor=1 tumbling=900 age=60 retries=0
----
Updating batch=10000 window=300 "No records processed"

update age=-1 retries=-1 tumbling=0 destination= report=false metrics=false bisect=false
----
Updating batch=1 window=0 "No records processed"

update tumbling=1 factor=2
----
error: TumblingWindowInSeconds requires a ParallelizationFactor of 1.

update factor=0
----
error: 1 validation error detected: Value '0' at 'parallelizationFactor' failed to satisfy constraint: Member must have value greater than or equal to 1

update age=1
----
error: MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)

update function=nope
----
error: Function does not exist

# A second qualifier of a function is another mapping. Two mappings of one source
# and one function are not, also not by an update.
create function=f:live disabled
----
Creating batch=100 window=0 "No records processed"

create function=f:live disabled
----
error: The event source arn (" arn:aws:kinesis:us-east-1:000000000000:stream/s ") and function (" f ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID

update function=f
----
error: The event source arn (" arn:aws:kinesis:us-east-1:000000000000:stream/s ") and function (" f ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID

create of=other function=g disabled
----
Creating batch=100 window=0 "No records processed"

update of=other function=f
----
error: The event source arn (" arn:aws:kinesis:us-east-1:000000000000:stream/s ") and function (" f ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID

# Unknown ones.
show of=nobody
----
error: The resource you requested does not exist.

update of=nobody
----
error: The resource you requested does not exist.

delete of=nobody
----
error: The resource you requested does not exist.

# Several at once are told together, and before what depends on the source.
create source=arn:aws:s3:::bucket batch=0 factor=11 retries=-2 start=soon
----
error: 4 validation errors detected: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1; Value '11' at 'parallelizationFactor' failed to satisfy constraint: Member must have value less than or equal to 10; Value '-2' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value greater than or equal to -1; Value 'soon' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]

update batch=10001 window=301
----
error: 2 validation errors detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000; Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy constraint: Member must have value less than or equal to 300
