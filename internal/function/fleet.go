package function

import (
	"sync"
	"sync/atomic"

	"github.com/weirstream/weir/internal/meter"
)

// fleet is all that runs of one function: the environments of its versions, and
// what these share.
type fleet struct {
	meters   *meters
	reserved atomic.Int64     // concurrency, or noReservation
	pools    map[string]*pool // by version; guarded by the mutex of Functions
	// qualified are the meters of versions and aliases that were invoked by name.
	qualified sync.Map // qualifier -> *meters
}

// target is what is to be invoked.
type target struct {
	arn     string // as it was asked for
	version string
	fleet   *fleet
	pool    *pool
	meters  *meters // of the qualifier, nil without one
}

// target finds the version of a function that a reference means.
func (f *Functions) target(ref string) (target, error) {
	name, qualifier, err := f.locate(ref)
	if err != nil {
		return target{}, err
	}
	version, err := f.resolve(name, qualifier)
	if err != nil {
		return target{}, err
	}
	t := target{arn: ARN(f.identity, name, qualifier), version: version}
	t.fleet, t.pool, err = f.poolOf(name, version)
	if err == nil && qualifier != "" && qualifier != LatestVersion {
		t.meters = f.qualifiedMeters(t.fleet, name, qualifier)
	}
	return t, err
}

// poolOf returns the environments of a version of a function, making what is
// missing.
func (f *Functions) poolOf(name, version string) (*fleet, *pool, error) {
	f.mu.RLock()
	fl, closed := f.fleets[name], f.closed
	if fl != nil && !closed {
		if p := fl.pools[version]; p != nil {
			f.mu.RUnlock()
			return fl, p, nil
		}
	}
	f.mu.RUnlock()
	if closed {
		return nil, nil, ErrClosed
	}
	// Under the lock for changes, so that the pool is not made of a definition
	// that is just being replaced or deleted.
	f.changing.Lock()
	defer f.changing.Unlock()
	def, ok := f.find(name, version)
	if !ok {
		return nil, nil, f.notFound(name, version)
	}
	function, _ := f.defs.Get(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, nil, ErrClosed
	}
	fl = f.fleets[name]
	if fl == nil {
		fl = f.newFleet(function)
		f.fleets[name] = fl
	}
	if p := fl.pools[version]; p != nil {
		return fl, p, nil
	}
	p := newPool(def, maxEnvironments, nil, func(o outcome) {
		fl.meters.observe(o)
		f.total.observe(o)
		if o.meters != nil {
			o.meters.observe(o)
		}
	})
	p.launch = func(def Definition) { f.start(p, def) }
	fl.pools[version] = p
	return fl, p, nil
}

func (f *Functions) newFleet(def Definition) *fleet {
	fl := &fleet{
		meters: newMeters(f.meter, meter.Dimension{Name: "FunctionName", Value: def.Name}),
		pools:  map[string]*pool{},
	}
	fl.define(def)
	return fl
}

func (f *Functions) qualifiedMeters(fl *fleet, name, qualifier string) *meters {
	if m, ok := fl.qualified.Load(qualifier); ok {
		return m.(*meters)
	}
	m, _ := fl.qualified.LoadOrStore(qualifier, newMeters(f.meter,
		meter.Dimension{Name: "FunctionName", Value: name}, resourceDimension(name, qualifier)))
	return m.(*meters)
}

func resourceDimension(name, qualifier string) meter.Dimension {
	return meter.Dimension{Name: "Resource", Value: versionKey(name, qualifier)}
}

// forgetQualifier drops what was measured of a version or alias that was deleted.
func (f *Functions) forgetQualifier(name, qualifier string) {
	if fl := f.existingFleet(name); fl != nil {
		fl.qualified.Delete(qualifier)
	}
	f.meter.Forget(metricNamespace, resourceDimension(name, qualifier))
}

// define takes from a definition what concerns all versions.
func (fl *fleet) define(def Definition) {
	if def.ReservedConcurrency == nil {
		fl.reserved.Store(noReservation)
		return
	}
	fl.reserved.Store(int64(*def.ReservedConcurrency))
}

func (f *Functions) existingFleet(name string) *fleet {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.fleets[name]
}

// forget ends the environments of a function that was deleted.
func (f *Functions) forget(name string) {
	f.mu.Lock()
	fl := f.fleets[name]
	delete(f.fleets, name)
	f.mu.Unlock()
	if fl != nil {
		for _, p := range fl.pools { // nobody adds to a fleet that cannot be found
			p.retire()
		}
	}
	f.meter.Forget(metricNamespace, meter.Dimension{Name: "FunctionName", Value: name})
}

// forgetVersion ends the environments of a version that was deleted.
func (f *Functions) forgetVersion(name, version string) {
	f.mu.Lock()
	var p *pool
	if fl := f.fleets[name]; fl != nil {
		p = fl.pools[version]
		delete(fl.pools, version)
	}
	f.mu.Unlock()
	if p != nil {
		p.retire()
	}
	f.forgetQualifier(name, version)
}
