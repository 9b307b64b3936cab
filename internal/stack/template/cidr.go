package template

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
)

// cidr computes Fn::Cidr: count blocks of a size, one after the other, inside a
// block of addresses.
func (e *evaluator) cidr(arg *Node) *Node {
	const message = "Template error: Fn::Cidr requires a list argument with a block, a count from 1 to 256 and the number of bits of each block"
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
	free := block.Addr().BitLen() - block.Bits()
	if err != nil || errCount != nil || errBits != nil || count < 1 || count > 256 || bits < 1 || bits > free ||
		free-bits < 8 && count > 1<<(free-bits) {
		return e.fail(arg.Line, message)
	}
	address := new(big.Int).SetBytes(block.Masked().Addr().AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	buf := make([]byte, block.Addr().BitLen()/8)
	list := List(arg.Line)
	for range count {
		addr, _ := netip.AddrFromSlice(address.FillBytes(buf))
		list.Items = append(list.Items, String(arg.Line, fmt.Sprintf("%s/%d", addr, len(buf)*8-bits)))
		address.Add(address, step)
	}
	return e.grow(list)
}
