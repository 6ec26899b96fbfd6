// SPDX-License-Identifier: Apache-2.0

package storaged

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

func attached() rmrnl.Pool {
	p := member("vol1", 0x21, "/dev/sdb")
	p.State, p.Client = rmrnl.PoolStateAttached, "app1"
	return p
}

func TestVerifyIsDueWhereItIsOfUse(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 30, 0, 0, time.UTC)
	week := Verify{Every: 168 * time.Hour, Rate: "50M"}
	for name, c := range map[string]struct {
		change func(p *rmrnl.Pool, v *Verify)
		want   bool
	}{
		"never compared":         {func(*rmrnl.Pool, *Verify) {}, true},
		"a week ago":             {func(p *rmrnl.Pool, _ *Verify) { p.Verified = uint64(now.Unix() - 7*86400) }, true},
		"six days ago":           {func(p *rmrnl.Pool, _ *Verify) { p.Verified = uint64(now.Unix() - 6*86400) }, false},
		"a clock that went back": {func(p *rmrnl.Pool, _ *Verify) { p.Verified = uint64(now.Unix() + 86400) }, false},
		"no schedule":            {func(_ *rmrnl.Pool, v *Verify) { v.Every = 0 }, false},
		"it runs":                {func(p *rmrnl.Pool, _ *Verify) { p.VerifyState = rmrnl.VerifyStateRunning }, false},
		"it waits":               {func(p *rmrnl.Pool, _ *Verify) { p.VerifyState = rmrnl.VerifyStateWaiting }, false},
		"stopped by a command":   {func(p *rmrnl.Pool, _ *Verify) { p.VerifyState = rmrnl.VerifyStateStopped }, false},
		"another member is lower": {func(p *rmrnl.Pool, _ *Verify) {
			p.MemberID = 1
		}, false},
		"a resync runs":           {func(p *rmrnl.Pool, _ *Verify) { p.ResyncState = rmrnl.ResyncStateCopying }, false},
		"a member is away":        {func(p *rmrnl.Pool, _ *Verify) { p.UpToDate = 1 }, false},
		"no client":               {func(p *rmrnl.Pool, _ *Verify) { p.Client = "" }, false},
		"alone":                   {func(p *rmrnl.Pool, _ *Verify) { p.Member = p.Member[:1] }, false},
		"with a witness alone":    {func(p *rmrnl.Pool, _ *Verify) { p.Member[1].Kind = 2 }, false},
		"inside the window":       {func(_ *rmrnl.Pool, v *Verify) { v.Window = "03:30-04:00" }, true},
		"behind the window":       {func(_ *rmrnl.Pool, v *Verify) { v.Window = "03:00-03:30" }, false},
		"inside, round midnight":  {func(_ *rmrnl.Pool, v *Verify) { v.Window = "22:00-06:00" }, true},
		"outside, round midnight": {func(_ *rmrnl.Pool, v *Verify) { v.Window = "22:00-03:00" }, false},
	} {
		p, v := attached(), week
		c.change(&p, &v)
		require.Equal(t, c.want, v.due(p, now), name)
	}
}

func TestVerifyStartsBySchedule(t *testing.T) {
	w := newWorld(t, rmrnltest.State{Pools: []rmrnl.Pool{attached()}})
	w.plug("sdb", storeDisk(t, "vol1", 0x21))
	w.daemon("").Once(t.Context())
	require.Zero(t, w.command("pool-verify"), "without a schedule")
	w.daemon("verify: {every: 168h, rate: 50M}").Once(t.Context())
	require.Contains(t, w.kernel.Log(), fmt.Sprintf("pool-verify name=vol1 uuid=%s leg=0 verify-run=1 verify-limit=52428800", id(0x11)))
}
