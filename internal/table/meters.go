package table

import (
	"time"

	"github.com/weirstream/weir/internal/meter"
)

// namespace is where CloudWatch has the metrics of tables.
const namespace = "AWS/DynamoDB"

// operation names an API operation in metrics.
type operation byte

const (
	opPutItem operation = iota
	opGetItem
	opUpdateItem
	opDeleteItem
	opQuery
	opScan
	opBatchGetItem
	opBatchWriteItem
	opGetRecords
	operations
)

var operationNames = [operations]string{
	"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "GetRecords",
}

// serviceMeters measure what no table can be blamed for.
type serviceMeters struct{ userErrors *meter.Series }

func newServiceMeters(m *meter.Meter) serviceMeters {
	return serviceMeters{userErrors: m.Series(namespace, "UserErrors", "Count")}
}

// tableMeters are the series of one table.
type tableMeters struct {
	readUnits, writeUnits *meter.Series
	conditionsFailed      *meter.Series
	latency               [operations]*meter.Series // milliseconds
	systemErrors          [operations]*meter.Series
	returnedItems         [operations]*meter.Series
}

func newTableMeters(m *meter.Meter, name string) tableMeters {
	dim := tableDimension(name)
	tm := tableMeters{
		readUnits:        m.Series(namespace, "ConsumedReadCapacityUnits", "Count", dim),
		writeUnits:       m.Series(namespace, "ConsumedWriteCapacityUnits", "Count", dim),
		conditionsFailed: m.Series(namespace, "ConditionalCheckFailedRequests", "Count", dim),
	}
	for op, opName := range operationNames {
		opDim := meter.Dimension{Name: "Operation", Value: opName}
		tm.latency[op] = m.Series(namespace, "SuccessfulRequestLatency", "Milliseconds", dim, opDim)
		tm.systemErrors[op] = m.Series(namespace, "SystemErrors", "Count", dim, opDim)
	}
	for _, op := range []operation{opQuery, opScan} {
		opDim := meter.Dimension{Name: "Operation", Value: operationNames[op]}
		tm.returnedItems[op] = m.Series(namespace, "ReturnedItemCount", "Count", dim, opDim)
	}
	return tm
}

func tableDimension(name string) meter.Dimension {
	return meter.Dimension{Name: "TableName", Value: name}
}

// observeRecords counts what GetRecords returned.
func (t *Tables) observeRecords(s *ChangeStream, changes []Change) {
	if t.cfg.Meter == nil || len(changes) == 0 {
		return
	}
	bytes := 0
	for i := range changes {
		bytes += changes[i].Size()
	}
	dims := []meter.Dimension{
		{Name: "Operation", Value: operationNames[opGetRecords]},
		{Name: "StreamLabel", Value: s.def.Label},
		tableDimension(s.def.Table),
	}
	t.cfg.Meter.Series(namespace, "ReturnedBytes", "Bytes", dims...).Observe(float64(bytes))
	t.cfg.Meter.Series(namespace, "ReturnedRecordsCount", "Count", dims...).Observe(float64(len(changes)))
}

// observe counts the end of an operation that was begun at the given time.
func (t *Tables) observe(op operation, tab *table, begun time.Time, err error) {
	if err == nil {
		tab.meters.latency[op].Observe(float64(time.Since(begun).Microseconds()) / 1000)
		return
	}
	switch err.(type) {
	case *ConditionError:
		tab.meters.conditionsFailed.Observe(1)
	case *InvalidError, *NotFoundError:
		t.meters.userErrors.Observe(1)
	default:
		if tab != nil {
			tab.meters.systemErrors[op].Observe(1)
		}
	}
}
