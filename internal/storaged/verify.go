// SPDX-License-Identifier: Apache-2.0

// Verify by schedule: which pool is due to be compared now, and the configuration of that. The kernel compares; when a
// pool was last compared completely it keeps in the superblock of the member that did it, so nothing is remembered here.

package storaged

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/docker/go-units"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/pkg/pool"
)

// Verify is when members of this node are compared with the others of their pools.
type Verify struct {
	// Every is the age of the last complete comparison at which another one begins; 0: never.
	Every time.Duration `yaml:"every"`
	// Rate bounds it, in bytes a second as 50M; "none" does not.
	Rate string `yaml:"rate"`
	// Window is when it may begin, as 22:00-06:00 in local time; "" is at any time. One that runs goes on.
	Window string `yaml:"window"`
}

const verifyMin, verifyMax = time.Hour, 10000 * time.Hour

func (v Verify) check() error {
	if v.Every != 0 && (v.Every < verifyMin || v.Every > verifyMax) {
		return fmt.Errorf("verify.every: %v is neither 0 nor within %v to %v", v.Every, verifyMin, verifyMax)
	}
	if _, err := v.rate(); err != nil {
		return fmt.Errorf("verify.rate: %w", err)
	}
	if _, _, err := v.window(); err != nil {
		return fmt.Errorf("verify.window: %w", err)
	}
	return nil
}

// rate is in bytes a second, 0 for no bound.
func (v Verify) rate() (uint64, error) {
	if v.Rate == "none" {
		return 0, nil
	}
	n, err := units.RAMInBytes(v.Rate)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%.40q is neither none nor a size a second", v.Rate)
	}
	return uint64(n), nil
}

var windowRE = regexp.MustCompile(`^(\d\d:\d\d)-(\d\d:\d\d)$`)

// window gives the minutes of a day at which it opens and closes; both 0: it is always open.
func (v Verify) window() (open, shut int, err error) {
	if v.Window == "" {
		return 0, 0, nil
	}
	m := windowRE.FindStringSubmatch(v.Window)
	if m == nil {
		return 0, 0, fmt.Errorf("%.40q is no HH:MM-HH:MM", v.Window)
	}
	from, err1 := time.Parse("15:04", m[1])
	to, err2 := time.Parse("15:04", m[2])
	if errors.Join(err1, err2) != nil || from.Equal(to) {
		return 0, 0, fmt.Errorf("%.40q is no HH:MM-HH:MM with two times of a day", v.Window)
	}
	return 60*from.Hour() + from.Minute(), 60*to.Hour() + to.Minute(), nil
}

// open tells whether a comparison may begin; the configuration was checked.
func (v Verify) open(now time.Time) bool {
	from, to, err := v.window()
	minute := 60*now.Hour() + now.Minute()
	switch {
	case err != nil:
		return false
	case from == to:
		return true
	case from < to:
		return from <= minute && minute < to
	}
	return minute >= from || minute < to
}

// due tells whether this node is to begin to compare its member of a pool now: it is the lowest of the members with
// data, all are up to date, it is not being compared, nobody stopped that, and the last time is long enough ago.
func (v Verify) due(p rmrnl.Pool, now time.Time) bool {
	if v.Every == 0 || p.Client == "" || p.State != rmrnl.PoolStateAttached || p.ResyncState != rmrnl.ResyncStateNone {
		return false
	}
	if p.VerifyState != rmrnl.VerifyStateNone && p.VerifyState != rmrnl.VerifyStateDone || !v.open(now) {
		return false
	}
	others := 0
	for _, m := range p.Member {
		if pool.MemberState(m.Kind) != pool.MemberData {
			continue
		}
		if !p.UpToDate.Has(m.ID) || m.ID < p.MemberID {
			return false
		}
		if m.ID != p.MemberID {
			others++
		}
	}
	return others > 0 && now.Sub(time.Unix(int64(p.Verified), 0)) >= v.Every
}

// verify begins what is due. A command that is refused is tried again with back-off, as everything.
func (d *Daemon) verify(ctx context.Context) {
	if d.cfg.Verify.Every == 0 {
		return
	}
	pools, err := d.pools(ctx)
	if err != nil {
		return // the round reports it
	}
	for _, p := range pools {
		if !d.cfg.Verify.due(p, d.env.Now()) {
			continue
		}
		d.tasks.want(ctx, "verify "+p.StoreUUID.String(), "verify", func(ctx context.Context) error {
			rate, err := d.cfg.Verify.rate()
			if err != nil {
				return err
			}
			req := &rmrnl.Request{Cmd: rmrnl.CmdPoolVerify}
			req.Add(rmrnl.PoolAttrName, p.Name).Add(rmrnl.PoolAttrUUID, p.UUID).Add(rmrnl.PoolAttrLeg, p.MemberID).Add(rmrnl.PoolAttrVerifyRun, uint8(1))
			if err := d.do(ctx, req.Add(rmrnl.PoolAttrVerifyLimit, rate)); err != nil {
				return err
			}
			d.env.Log.Info("verify started", "pool", p.Name, "member", p.MemberID)
			return nil
		})
	}
}
