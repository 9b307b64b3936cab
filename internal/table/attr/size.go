package attr

// Sizes count as DynamoDB counts them for the limit of an item, for capacity and
// for change records.
const (
	documentOverhead = 3 // bytes of a list or a map itself
	elementOverhead  = 1 // bytes of an element besides its content
)

// Size returns the bytes of the item: those of all names and values.
func (it Item) Size() int {
	size := 0
	for name, v := range it.All() {
		size += len(name) + v.Size()
	}
	return size
}

// Size returns the bytes of the value.
func (v Value) Size() int {
	switch v.Kind() {
	case Missing:
		return 0
	case String, Binary:
		return len(v.payload())
	case Number:
		return numberSize(v.payload())
	case Bool, Null:
		return 1
	case List:
		size := documentOverhead
		for e := range v.Elements() {
			size += elementOverhead + e.Size()
		}
		return size
	case Map:
		size := documentOverhead
		for name, e := range v.Item().All() {
			size += elementOverhead + len(name) + e.Size()
		}
		return size
	default:
		size := 0
		for m := range v.Elements() {
			size += m.Size()
		}
		return size
	}
}

// MaxDepth is how many lists and maps may be nested in an attribute.
const MaxDepth = 31

// Depth returns how many lists and maps are nested in the value, itself included.
func (v Value) Depth() int {
	deepest := 0
	switch v.Kind() {
	case List:
		for e := range v.Elements() {
			deepest = max(deepest, e.Depth())
		}
	case Map:
		for _, e := range v.Item().All() {
			deepest = max(deepest, e.Depth())
		}
	default:
		return 0
	}
	return deepest + 1
}

// maxName is how many bytes the name of an attribute can have.
const maxName = 65535

// CheckName refuses a number of bytes that no name of an attribute can have, with an
// InvalidError.
func CheckName(size int) error {
	switch {
	case size == 0:
		return Invalidf("Empty attribute name")
	case size > maxName:
		return Invalidf("Attribute name is too large, must be less than 65536 bytes")
	}
	return nil
}
