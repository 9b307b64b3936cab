package function

import "sync/atomic"

// minUnreserved is how much of an account's concurrency no function can reserve.
const minUnreserved = 100

// noReservation stands for a function that shares what nobody has reserved.
const noReservation = -1

// The reasons why an invocation is throttled; both are of the kind ErrThrottled.
var (
	// ErrReservedConcurrency: the function uses all that is reserved for it.
	ErrReservedConcurrency error = &kindError{kind: ErrThrottled, text: "Rate Exceeded."}
	// ErrAccountConcurrency: all functions together use what the account has.
	ErrAccountConcurrency error = &kindError{kind: ErrThrottled, text: "Rate Exceeded."}
)

// account counts the invocations of all functions together.
type account struct {
	limit      int64        // 0: none
	reserved   atomic.Int64 // the sum of the reservations
	running    atomic.Int64
	unreserved atomic.Int64 // those of functions without a reservation
}

// reserve sums up the reservations of all functions.
func (a *account) reserve(defs []Definition) {
	sum := 0
	for _, def := range defs {
		sum += def.reserved()
	}
	a.reserved.Store(int64(sum))
}

// shared returns how many invocations of functions without a reservation may run
// at one time, false if there is no limit.
func (a *account) shared() (int64, bool) {
	return a.limit - a.reserved.Load(), a.limit > 0
}

// reserved returns how much concurrency is reserved for a function.
func (d Definition) reserved() int {
	if d.ReservedConcurrency == nil {
		return 0
	}
	return *d.ReservedConcurrency
}

// admission is the place of an invocation among those that run or wait. It is
// held until the invocation has an outcome, also when nobody waits for that.
type admission struct {
	account *account
	fleet   *fleet
	meters  *meters // of the qualifier, nil without one
	shared  bool    // the function had no reservation
}

// admit finds a place for an invocation, or refuses it.
func (f *Functions) admit(t target) (admission, error) {
	fl := t.fleet
	a := admission{account: &f.account, fleet: fl, meters: t.meters}
	most := fl.reserved.Load()
	if a.shared = most == noReservation; a.shared {
		if limit, ok := f.account.shared(); !ok {
			f.account.unreserved.Add(1)
		} else if !enter(&f.account.unreserved, limit) {
			return a, f.throttled(t, ErrAccountConcurrency)
		}
		fl.meters.inFlight.Add(1)
	} else if !enter(&fl.meters.inFlight, most) {
		return a, f.throttled(t, ErrReservedConcurrency)
	}
	f.total.concurrent.Observe(float64(f.account.running.Add(1)))
	fl.meters.concurrent.Observe(float64(fl.meters.inFlight.Load()))
	if a.meters != nil {
		a.meters.concurrent.Observe(float64(a.meters.inFlight.Add(1)))
	}
	return a, nil
}

func (f *Functions) throttled(t target, why error) error {
	t.fleet.meters.throttles.Observe(1)
	f.total.throttles.Observe(1)
	if t.meters != nil {
		t.meters.throttles.Observe(1)
	}
	return why
}

// enter counts one more unless there are as many as allowed.
func enter(n *atomic.Int64, most int64) bool {
	for {
		have := n.Load()
		if have >= most {
			return false
		}
		if n.CompareAndSwap(have, have+1) {
			return true
		}
	}
}

// end gives the place back; once.
func (a admission) end() {
	if a.fleet == nil {
		return
	}
	a.fleet.meters.inFlight.Add(-1)
	a.account.running.Add(-1)
	if a.meters != nil {
		a.meters.inFlight.Add(-1)
	}
	if a.shared {
		a.account.unreserved.Add(-1)
	}
}

// AccountConcurrency returns how many invocations may run at one time, and how
// many of these nobody has reserved. Without limits it tells those of an account
// of AWS, which are not enforced then.
func (f *Functions) AccountConcurrency() (limit, unreserved int) {
	limit = int(f.account.limit)
	if limit == 0 {
		limit = DefaultAccountConcurrency
	}
	return limit, max(0, limit-int(f.account.reserved.Load()))
}

// DefaultAccountConcurrency is the limit of an account of AWS.
const DefaultAccountConcurrency = 1000

// ReserveConcurrency reserves concurrency for a function: it gets that much and
// no more; 0 stops it.
func (f *Functions) ReserveConcurrency(ref string, n int) error {
	_, err := f.change(ref, "", func(def *Definition) error {
		limit, ok := f.account.shared()
		if ok && limit+int64(def.reserved()-n) < minUnreserved {
			return invalidf("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
		}
		def.ReservedConcurrency = &n
		return nil
	})
	return err
}

// ReleaseConcurrency takes a reservation back.
func (f *Functions) ReleaseConcurrency(ref string) error {
	_, err := f.change(ref, "", func(def *Definition) error {
		def.ReservedConcurrency = nil
		return nil
	})
	return err
}

// Prepare starts environments for a function ahead of need, so that there are n
// of them, and returns without waiting for them. Those that are in use count. A
// function that cannot be found is left to its first invocation.
func (f *Functions) Prepare(ref string, n int) {
	t, err := f.target(ref)
	if err != nil {
		return
	}
	if most := t.fleet.reserved.Load(); most != noReservation {
		n = min(n, int(most))
	}
	if limit, ok := f.account.shared(); ok {
		n = min(n, int(limit))
	}
	t.pool.prepare(n)
}
