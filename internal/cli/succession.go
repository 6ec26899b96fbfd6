// SPDX-License-Identifier: Apache-2.0

// A store that takes the place of a member says so in its own superblock, from the first moment on. So a command that
// makes one may be given again, whatever became of the first run: this file finds out how far that came.

package cli

import (
	"context"
	"fmt"

	"github.com/rmr-block/rmr/internal/metadata"
	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// succession is what an earlier run left: a store that this node serves, or the command that serves it.
type succession struct {
	served   *rmrnl.Pool
	assemble *rmrnl.Request
}

// succession looks for the store on the device that takes the place of a member; nil if there is none.
func (o *storeOptions) succession(ctx context.Context, a *app, leg int) (*succession, error) {
	var found *succession
	err := a.kernel(func(c *rmrnl.Client) error {
		list, err := c.Pools(ctx)
		for _, p := range list {
			if p.Name == o.name && sameDevice(p.Device, o.device) && follows(p, leg) {
				found = &succession{served: &p}
			}
		}
		return err
	})
	if err != nil || found != nil || !o.isSuccessor(a, leg) {
		return found, err
	}
	req := &rmrnl.Request{Cmd: rmrnl.CmdPoolAssemble}
	req.Add(rmrnl.PoolAttrDevice, o.device).AddString(rmrnl.PoolAttrMetadataDevice, o.mdDevice).Add(rmrnl.PoolAttrName, o.name)
	return &succession{assemble: req}, req.Check()
}

// follows tells whether a store that is served takes the place of a member, or has taken it: then nobody is in it.
func follows(p rmrnl.Pool, leg int) bool {
	for _, m := range p.Member {
		if int(m.ID) == leg {
			return m.Successor == p.MemberID+1 || leg == int(p.MemberID) && p.Discarded
		}
	}
	return !p.Discarded
}

// isSuccessor reads the superblock of a device that nobody uses. What is wrong with the device, others say.
func (o *storeOptions) isSuccessor(a *app, leg int) bool {
	path := o.device
	if o.mdDevice != "" {
		path = o.mdDevice
	}
	d, err := a.OpenImage(path, false)
	if err != nil {
		return false
	}
	defer d.Close()
	s, err := metadata.Read(d, d.Size)
	if err != nil || s.Superblock == nil {
		return false
	}
	sb := s.Superblock
	m, blank := sb.Members[leg], sb.Flags&pool.FlagDiscarded != 0 && sb.View.Number == 0
	switch {
	case sb.Name != o.name:
		return false
	case leg == int(sb.MemberID):
		return blank
	case m.State == pool.MemberNone:
		return !blank // it has taken the place
	}
	return m.Successor == sb.MemberID+1
}

// goOn ends what an earlier run of the command began, and returns the store.
func (o *storeOptions) goOn(ctx context.Context, a *app, s *succession) (made rmrnl.Pool, goOn bool, err error) {
	p := plan{}
	if s.assemble != nil {
		p.Request = s.assemble.String()
		p.raise(riskFullSync, "goes on with what was begun: %s is to take that place already", o.device)
	}
	if goOn, err := a.proceed(o.changeOptions, p); !goOn {
		return made, false, err
	}
	if s.served != nil {
		return *s.served, true, nil
	}
	made, err = a.sendPool(ctx, s.assemble)
	return made, err == nil, err
}

// again goes on with an earlier run, if there was one.
func (o *storeOptions) again(ctx context.Context, a *app, leg int, wait bool) (done bool, err error) {
	before, err := o.succession(ctx, a, leg)
	if err != nil || before == nil {
		return false, err
	}
	made, goOn, err := o.goOn(ctx, a, before)
	switch {
	case err != nil:
		return false, fmt.Errorf("%s: %w", o.verbAndObject, err)
	case !goOn:
		return true, nil
	}
	if err := a.printPoolID(o.output, made); err != nil || !wait {
		return true, err
	}
	return true, o.waitPlaced(ctx, a, made, leg)
}

// waitPlaced waits until the new store is up to date and the member whose place it takes is gone.
func (o *storeOptions) waitPlaced(ctx context.Context, a *app, made rmrnl.Pool, leg int) error {
	gone := func(list []poolView) bool {
		for _, p := range list {
			for _, m := range p.Members {
				if p.StoreUUID == made.StoreUUID && int(m.ID) == leg && m.StoreUUID != made.StoreUUID {
					return false
				}
			}
		}
		return true
	}
	never := func([]poolView) error { return nil }
	if err := a.waitUpToDate(ctx, o.name, made.StoreUUID, never, gone); err != nil {
		return fmt.Errorf("%s: %w", o.verbAndObject, err)
	}
	return nil
}
