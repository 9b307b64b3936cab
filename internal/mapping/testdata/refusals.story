create source=arn:aws:s3:::bucket
----
error: Unrecognized event source.

create source=arn:aws:kinesis:us-east-1:000000000000:stream/nope
----
error: Stream not found: arn:aws:kinesis:us-east-1:000000000000:stream/nope

create function=nope
----
error: Function does not exist

create start=invalid
----
error: 1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]

create start=
----
error: 1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.

create batch=0
----
error: 1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1

create batch=10001
----
error: 1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000

create window=301
----
error: 1 validation error detected: Value '301' at 'maximumBatchingWindowInSeconds' failed to satisfy constraint: Member must have value less than or equal to 300

create unsupported=(TumblingWindowInSeconds,FilterCriteria)
----
error: Weir does not implement these event source mapping parameters: TumblingWindowInSeconds, FilterCriteria. Remove them or leave them at their defaults.

create start=LATEST
----
Creating batch=100 window=0 "No records processed"

create start=LATEST
----
error: The event source arn (" arn:aws:kinesis:us-east-1:000000000000:stream/s ") and function (" f ") provided mapping already exists. Please update or delete the existing mapping with UUID UUID

update batch=99999
----
error: 1 validation error detected: Value '99999' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000
