package template

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
)

// cidr computes Fn::Cidr: count blocks of a size, one after the other, inside a
// block of IPv4 addresses.
func (e *evaluator) cidr(arg *Node) *Node {
	const message = "Template error: Fn::Cidr requires a list argument with an IPv4 block, a count from 1 to 256 and the number of bits of each block"
	if arg.Kind != KindList || len(arg.Items) < 2 || len(arg.Items) > 3 {
		return e.fail(arg.Line, message)
	}
	args := []string{"", "", "8"}
	for i, item := range arg.Items {
		v := e.eval(item)
		if v != nil && v.Kind == KindUnknown {
			return v
		}
		if !v.IsScalar() {
			return e.fail(arg.Line, message)
		}
		args[i] = v.Text
	}
	block, err := netip.ParsePrefix(args[0])
	count, errCount := strconv.Atoi(args[1])
	bits, errBits := strconv.Atoi(args[2])
	if err != nil || errCount != nil || errBits != nil || !block.Addr().Is4() ||
		count < 1 || count > 256 || bits < 1 || bits > 32-block.Bits() || count > 1<<(32-block.Bits()-bits) {
		return e.fail(arg.Line, message)
	}
	base := block.Masked().Addr().As4()
	first := binary.BigEndian.Uint32(base[:])
	list := List(arg.Line)
	for i := range uint32(count) {
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], first+i<<bits)
		list.Items = append(list.Items, String(arg.Line, fmt.Sprintf("%s/%d", netip.AddrFrom4(addr), 32-bits)))
	}
	return e.grow(list)
}
