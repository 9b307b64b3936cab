package queue

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// handle is what a receipt handle says: which message, and which receive of it.
type handle struct {
	queue, number uint64
	token         uint32
}

const handleLen = 8 + 8 + 4 + 4

// String writes the handle for clients, to whom it is opaque. A checksum tells
// handles from other texts.
func (h handle) String() string {
	b := make([]byte, 0, handleLen)
	b = binary.BigEndian.AppendUint64(b, h.queue)
	b = binary.BigEndian.AppendUint64(b, h.number)
	b = binary.BigEndian.AppendUint32(b, h.token)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return "AQEB" + base64.StdEncoding.EncodeToString(b)
}

func parseHandle(text string) (handle, bool) {
	if len(text) < 4 || text[:4] != "AQEB" {
		return handle{}, false
	}
	b, err := base64.StdEncoding.DecodeString(text[4:])
	if err != nil || len(b) != handleLen || crc32.ChecksumIEEE(b[:handleLen-4]) != binary.BigEndian.Uint32(b[handleLen-4:]) {
		return handle{}, false
	}
	return handle{queue: binary.BigEndian.Uint64(b), number: binary.BigEndian.Uint64(b[8:]), token: binary.BigEndian.Uint32(b[16:])}, true
}
