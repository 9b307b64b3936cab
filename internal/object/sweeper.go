package object

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/weirstream/weir/internal/store"
)

// sweeper removes the bytes that no object has any more, once nobody reads them.
type sweeper struct {
	b    *Buckets
	done sync.WaitGroup
	wake chan struct{} // holds one token: something was doomed or released
	stop chan struct{}

	mu     sync.Mutex
	doomed []ID
	leases map[ID]int
}

// openSweeper goes on with what was to be removed.
func openSweeper(b *Buckets) (*sweeper, error) {
	s := &sweeper{b: b, wake: make(chan struct{}, 1), stop: make(chan struct{}), leases: map[ID]int{}}
	prefix := append(store.Key(store.DomainObject, 1), whatGarbage)
	it, err := b.db.Scan(prefix, store.PrefixEnd(prefix))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		rest := it.Key()[len(prefix):]
		if len(rest) != 8 {
			return nil, fmt.Errorf("key %x: malformed", it.Key())
		}
		s.doomed = append(s.doomed, ID(binary.BigEndian.Uint64(rest)))
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	s.done.Go(s.run)
	s.nudge()
	return s, nil
}

func (s *sweeper) close() {
	close(s.stop)
	s.done.Wait()
}

// doomIn notes as part of tx that bytes are to be removed.
func (s *sweeper) doomIn(tx *store.Tx, id ID) {
	tx.Set(idKey(whatGarbage, id), nil)
	tx.OnDurable(func() {
		s.mu.Lock()
		s.doomed = append(s.doomed, id)
		s.mu.Unlock()
		s.nudge()
	})
}

// lease keeps bytes until release. The caller holds Buckets.changing.
func (s *sweeper) lease(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[id]++
}

func (s *sweeper) release(id ID) {
	s.mu.Lock()
	s.leases[id]--
	if s.leases[id] == 0 {
		delete(s.leases, id)
	}
	waiting := len(s.doomed) > 0
	s.mu.Unlock()
	if waiting {
		s.nudge()
	}
}

func (s *sweeper) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *sweeper) run() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		if err := s.remove(s.take()); err != nil {
			s.b.log.Error("remove the bytes of deleted objects; it is tried again on the next start", "error", err)
		}
	}
}

// take returns what is doomed and not read.
func (s *sweeper) take() (free []ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var held []ID
	for _, id := range s.doomed {
		if s.leases[id] > 0 {
			held = append(held, id)
		} else {
			free = append(free, id)
		}
	}
	s.doomed = held
	return free
}

// remove removes files, and the parts of uploads, and then the notes about them.
func (s *sweeper) remove(ids []ID) error {
	if len(ids) == 0 {
		return nil
	}
	tx := s.b.db.Begin()
	defer tx.Discard()
	var removed []ID
	for _, id := range ids {
		parts, err := s.b.partsOf(id)
		if err != nil {
			return err
		}
		for _, p := range parts {
			removed = append(removed, p.File)
			tx.Delete(partKey(id, p.number))
		}
		removed = append(removed, id) // an upload has no file, which does not matter
		tx.Delete(idKey(whatGarbage, id))
	}
	for _, id := range removed {
		if err := s.b.files.remove(id); err != nil {
			return err
		}
		tx.Delete(idKey(whatFile, id))
	}
	// The notes must not go before the files have.
	if err := s.b.files.syncRemoved(removed); err != nil {
		return err
	}
	// When a crash takes this back, there is just nothing left to remove.
	return tx.CommitLazily()
}
