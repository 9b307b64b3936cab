package mapping

import (
	"log/slog"
	"sync"
	"time"
)

// leastHold is how long at least messages that wait here are kept from others at a
// time. However short their visibility timeout is, half of this is enough for a busy
// machine to do so again.
const leastHold = 10 * time.Second

// claim is the messages of a batch that a mapping has taken from its queue. While
// they wait here, until the batch is full and the function has a process, it keeps
// them from others. Their visibility timeout begins when the function gets them.
type claim struct {
	queue Queue
	log   *slog.Logger

	mu      sync.Mutex
	handles []string
	waiting bool
	timer   *time.Timer // for renew; nil before there are messages
}

// holdTime is how long messages that wait are kept from others at a time.
func holdTime(q Queue) time.Duration { return max(q.VisibilityTimeout(), leastHold) }

// add takes messages that have just been handed out.
func (c *claim) add(messages []Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handles = append(c.handles, handlesOf(messages)...)
	if c.timer == nil {
		c.waiting = true
		c.timer = time.AfterFunc(holdTime(c.queue)/2, c.renew)
	}
}

// renew is called by the timer.
func (c *claim) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		c.hold()
	}
}

// hold keeps the messages from others until the next time; c.mu is held. It reports
// whether none of them has been handed out again.
func (c *claim) hold() bool {
	d := holdTime(c.queue)
	c.timer.Reset(d / 2)
	return c.queue.Hold(c.handles, d)
}

// again makes the messages wait once more, for the function to be invoked with them
// again; false when one of them has been handed out meanwhile.
func (c *claim) again() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = true
	return c.hold()
}

// begin begins the visibility timeout: the function gets the messages.
func (c *claim) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = false
	c.timer.Stop()
	if err := c.queue.Begin(c.handles); err != nil {
		c.log.Error("begin visibility timeout", "error", err)
	}
}

// settle ends the waiting, and reports whether that had not ended.
func (c *claim) settle() (waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited, c.waiting = c.waiting, false
	if c.timer != nil {
		c.timer.Stop()
	}
	return waited
}
