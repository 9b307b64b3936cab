package stack

import (
	"fmt"
	"io"

	"github.com/google/uuid"
)

// suffixLength is the number of random characters at the end of generated names.
const suffixLength = 12

// generatedName is the name of a resource whose template chooses none:
// STACK-LOGICAL-SUFFIX, the first part cut so that all of it fits.
func (s *Stacks) generatedName(stackName, logicalID string, limit int) (string, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var random [suffixLength]byte
	if _, err := io.ReadFull(s.cfg.Random, random[:]); err != nil {
		return "", fmt.Errorf("generate a name: %w", err)
	}
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	head := stackName + "-" + logicalID
	if room := limit - suffixLength - 1; len(head) > room {
		head = head[:room]
	}
	return head + "-" + string(random[:]), nil
}

func (s *Stacks) newUUID() (string, error) {
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return "", fmt.Errorf("generate an id: %w", err)
	}
	return id.String(), nil
}
