package object

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"
)

// Algorithm is a way to compute a checksum.
type Algorithm string

// The algorithms that are implemented.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
)

// Algorithms lists them all.
var Algorithms = []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256}

// ChecksumType says what the checksum of an upload in parts is of.
type ChecksumType string

const (
	// FullObject is a checksum of all bytes.
	FullObject ChecksumType = "FULL_OBJECT"
	// Composite is a checksum of the checksums of the parts.
	Composite ChecksumType = "COMPOSITE"
)

// Checksum of an object or part.
type Checksum struct {
	Algorithm Algorithm
	Value     string // base64; of a composite one with "-" and the number of parts
	Type      ChecksumType
}

// polynomials of the CRCs, reflected, with their width in bits.
const (
	polynomial32     = crc32.IEEE
	polynomial32C    = crc32.Castagnoli
	polynomial64NVME = 0x9a6c9329ac4bc9b5
)

var table64NVME = crc64.MakeTable(polynomial64NVME)

func (a Algorithm) hash() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(table64NVME)
	case SHA1:
		return sha1.New()
	default:
		return sha256.New()
	}
}

func (a Algorithm) isCRC() bool { return a == CRC32 || a == CRC32C || a == CRC64NVME }

func (a Algorithm) check() error {
	if a == "" || slices.Contains(Algorithms, a) {
		return nil
	}
	return errorf(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: %v", Algorithms)
}

// Expected is what a client says of the bytes that it sends. All of it is optional.
type Expected struct {
	MD5    []byte
	SHA256 []byte
	// Algorithm is the checksum to keep with the bytes, and Value what it must be.
	// Value is called once they have been read; nil is not compared.
	Algorithm Algorithm
	Value     func() (string, error)
	// Size of the bytes; -1 if it is not known.
	Size int64
}

// Verify compares bytes with what a client says of them.
func (e Expected) Verify(p []byte) error {
	d, err := newDigests(e)
	if err != nil {
		return err
	}
	_, _ = d.Write(p) // digests take everything
	_, err = d.verify(int64(len(p)))
	return err
}

// digests computes what is kept and compared of bytes.
type digests struct {
	want     Expected
	md5, sha hash.Hash // sha is nil if nobody wants it
	own      hash.Hash // by the algorithm; nil without
	io.Writer
}

func newDigests(want Expected) (*digests, error) {
	if err := want.Algorithm.check(); err != nil {
		return nil, err
	}
	d := &digests{want: want, md5: md5.New()}
	all := []io.Writer{d.md5}
	if want.SHA256 != nil {
		d.sha = sha256.New()
		all = append(all, d.sha)
	}
	if want.Algorithm != "" {
		d.own = want.Algorithm.hash()
		all = append(all, d.own)
	}
	d.Writer = io.MultiWriter(all...)
	return d, nil
}

// verify compares what was read with what was expected.
func (d *digests) verify(size int64) (*Checksum, error) {
	want := d.want
	if want.Size >= 0 && size != want.Size {
		return nil, errorf(IncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header").with("NumberBytesExpected", want.Size).with("NumberBytesProvided", size)
	}
	if want.MD5 != nil && string(want.MD5) != string(d.md5.Sum(nil)) {
		return nil, errorf(BadDigest, "The Content-MD5 you specified did not match what we received.").
			with("ExpectedDigest", hex.EncodeToString(want.MD5)).with("CalculatedDigest", base64.StdEncoding.EncodeToString(d.md5.Sum(nil)))
	}
	if d.sha != nil && string(want.SHA256) != string(d.sha.Sum(nil)) {
		return nil, errorf(SHA256Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.").
			with("ClientComputedContentSHA256", fmt.Sprintf("%x", want.SHA256)).with("S3ComputedContentSHA256", fmt.Sprintf("%x", d.sha.Sum(nil)))
	}
	if d.own == nil {
		return nil, nil
	}
	got := &Checksum{Algorithm: want.Algorithm, Value: base64.StdEncoding.EncodeToString(d.own.Sum(nil)), Type: FullObject}
	if want.Value != nil {
		switch v, err := want.Value(); {
		case err != nil:
			return nil, err
		case v != got.Value:
			return nil, errorf(BadDigest, "The %s you specified did not match the calculated checksum.", want.Algorithm)
		}
	}
	return got, nil
}

// composite is the checksum of the checksums of parts.
func composite(a Algorithm, parts []part) (*Checksum, error) {
	h := a.hash()
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.Checksum)
		if err != nil {
			return nil, fmt.Errorf("checksum of part %d: %w", p.number, err)
		}
		h.Write(raw)
	}
	return &Checksum{Algorithm: a, Value: fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts)), Type: Composite}, nil
}

// fullObject is the CRC of the bytes of all parts, computed from their CRCs.
func fullObject(a Algorithm, parts []part) (*Checksum, error) {
	poly, width := uint64(polynomial64NVME), 64
	switch a {
	case CRC32:
		poly, width = polynomial32, 32
	case CRC32C:
		poly, width = polynomial32C, 32
	}
	var sum uint64
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.Checksum)
		if err != nil || len(raw) != width/8 {
			return nil, fmt.Errorf("checksum of part %d is malformed: %w", p.number, err)
		}
		crc := binary.BigEndian.Uint64(append(make([]byte, 8-len(raw)), raw...))
		sum = combineCRC(width, poly, sum, crc, p.Size)
	}
	raw := binary.BigEndian.AppendUint64(nil, sum)[8-width/8:]
	return &Checksum{Algorithm: a, Value: base64.StdEncoding.EncodeToString(raw), Type: FullObject}, nil
}

// combineCRC returns the CRC of two texts from the CRC of each and the length of
// the second. Appending a zero bit to a text is a linear map of its CRC, a matrix
// over GF(2), here a slice of columns; squaring it repeatedly appends many.
func combineCRC(width int, poly, first, second uint64, length int64) uint64 {
	if length == 0 {
		return first
	}
	m := make([]uint64, width)
	m[0] = poly
	for i := 1; i < width; i++ {
		m[i] = 1 << (i - 1)
	}
	for range 3 { // to a byte
		m = squared(m)
	}
	for ; length > 0; length >>= 1 {
		if length&1 != 0 {
			first = times(m, first)
		}
		m = squared(m)
	}
	return first ^ second
}

func times(m []uint64, v uint64) (sum uint64) {
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 != 0 {
			sum ^= m[i]
		}
	}
	return sum
}

func squared(m []uint64) []uint64 {
	out := make([]uint64, len(m))
	for i := range m {
		out[i] = times(m, m[i])
	}
	return out
}
