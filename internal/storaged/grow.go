// SPDX-License-Identifier: Apache-2.0

// Devices that got larger than the stores on them: told in the report and in metrics, and if the configuration says so
// the kernel makes room of them. The pool keeps its size until a client resizes it.

package storaged

import (
	"context"

	"github.com/rmr-block/rmr/internal/rmrnl"
)

// What is done about a device that got larger.
const (
	growTell = "tell"
	growAuto = "auto"
)

// grow has stores take all of their devices. It may take as long as zeroing does; what fails is tried again.
func (d *Daemon) grow(ctx context.Context) {
	if d.cfg.Grow != growAuto {
		return
	}
	pools, err := d.pools(ctx)
	if err != nil {
		return // the round reports it
	}
	for _, p := range pools {
		if p.DeviceGrown == 0 || p.State == rmrnl.PoolStateFailed {
			continue
		}
		d.tasks.want(ctx, "grow "+p.StoreUUID.String(), "grow", func(ctx context.Context) error {
			req := (&rmrnl.Request{Cmd: rmrnl.CmdPoolGrow}).Add(rmrnl.PoolAttrName, p.Name).Add(rmrnl.PoolAttrUUID, p.UUID)
			if err := d.do(ctx, req.Add(rmrnl.PoolAttrMemberID, p.MemberID)); err != nil {
				return err
			}
			d.env.Log.Info("room made for a larger pool", "pool", p.Name, "member", p.MemberID, "bytes", p.DeviceGrown)
			return nil
		})
	}
}
