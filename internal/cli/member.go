// SPDX-License-Identifier: Apache-2.0

// What commands for one member have in common: which of a pool's members on this node is meant, and how they
// wait for one that copies.

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// addLeg adds the option that names one of several members of a pool on this node.
func addLeg(fs *pflag.FlagSet, leg *int) {
	fs.IntVar(leg, "leg", -1, "member `id`, where this node has several members of the pool")
}

// checkLeg takes a member id, or -1 for one that was not given.
func checkLeg(leg int) error {
	if leg < -1 || leg >= pool.MaxMembers {
		return &usageError{fmt.Sprintf("member %d: must be a number from 0 to %d", leg, pool.MaxMembers-1)}
	}
	return nil
}

// member is the one member of a pool on this node that is meant; leg is -1 if the command line names none.
func (a *app) member(ctx context.Context, name string, leg int) (poolView, error) {
	if err := checkLeg(leg); err != nil {
		return poolView{}, err
	}
	list, err := a.pools(ctx, name)
	if err != nil {
		return poolView{}, err
	}
	if leg < 0 && len(list) > 1 {
		return poolView{}, refuse("members %d and %d of pool %s are on this node: say which with --leg", list[0].MemberID, list[1].MemberID, name)
	}
	for _, p := range list {
		if leg < 0 || int(p.MemberID) == leg {
			return p, nil
		}
	}
	return poolView{}, fmt.Errorf("no member %d of pool %s on this node; `rmrctl pool show %s` lists them", leg, name, name)
}

// poll is the time between two looks at something that takes long.
const poll = 500 * time.Millisecond

// waitUpToDate reports the progress of a member of this node, known by its store, until it is up to date and
// gone says so of whatever else is to happen; stop says why there is no use in waiting.
func (a *app) waitUpToDate(ctx context.Context, name string, store pool.UUID, stop func([]poolView) error, gone func([]poolView) bool) error {
	bar := a.progress("copying to " + name)
	defer bar.finish()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		list, err := a.pools(ctx, name)
		if err != nil {
			return err
		}
		done, err := a.lookAtStore(list, store, bar)
		if err == nil && !done {
			err = stop(list)
		}
		if err != nil || (done && gone(list)) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for pool %s: %w; the work goes on", name, ctx.Err())
		case <-tick.C:
		}
	}
}

func (a *app) lookAtStore(list []poolView, store pool.UUID, bar *progress) (done bool, err error) {
	for _, p := range list {
		if p.StoreUUID != store {
			continue
		}
		if p.State == rmrnl.PoolStateFailed {
			return false, fmt.Errorf("member %d of pool %s failed: %s", p.MemberID, p.Name, p.Reason)
		}
		if p.Resync.Total > 0 {
			chunk := uint64(p.ChunkSize)
			bar.report((p.Resync.Total-min(p.Resync.Left, p.Resync.Total))*chunk, p.Resync.Total*chunk)
		}
		return p.UpToDate.Has(p.MemberID) && !p.Discarded, nil
	}
	return false, fmt.Errorf("the new store is not served any more")
}
