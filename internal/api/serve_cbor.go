package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/weirstream/weir/internal/api/awscbor"
)

// serveRPC serves Smithy RPC v2 CBOR; path is what follows /service/.
func (h *Handler) serveRPC(x *exchange, path string) {
	name, opName, ok := strings.Cut(path, "/operation/")
	svc := h.targets[name]
	x.asked = strings.TrimSuffix(opName, "/")
	if ok && svc != nil && svc.CBOR == RPCv2CBOR {
		x.svc, x.op = svc, svc.ops[x.asked]
	}
	x.identify(x.svc.Dialect)
	x.w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	x.protocol = protocolCBOR
	x.ctype = contentTypes[cborType]
	media := mediaType(x.r)
	if x.r.Method != http.MethodPost || x.r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" || media != cborType && media != "" {
		x.raw(http.StatusNotFound, "UnknownOperationException", "")
		return
	}
	if !x.read(x.svc.limit) {
		return
	}
	if len(x.body) == 0 {
		x.body = []byte{0xa0} // the empty map
	}
	if !x.checkDocument() {
		return
	}
	x.call(func(in reflect.Value) error {
		return awscbor.Decoder{Dialect: x.svc.dialect}.Decode(x.body, x.op.inShape, in)
	})
}
