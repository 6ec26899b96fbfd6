// SPDX-License-Identifier: Apache-2.0

// This file owns the comparison of error budgets.

package diff

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rmr-block/rmr/pkg/pool"
)

// TestErrorBudgetsAgree: errors at few places, with little and with much time between them, count alike in both languages.
func TestErrorBudgetsAgree(t *testing.T) {
	startCore(t).episodes(func(c *core, r *rand.Rand) {
		var e pool.Errs
		now, places, most := uint64(0), r.Uint64N(2*pool.ErrsMax)+1, r.Uint64N(pool.ErrsForget)+1
		c.want("ok 0 0", "errs_forgive")
		for range 60 {
			if r.IntN(3) > 0 {
				now += r.Uint64N(most)
			}
			switch r.IntN(12) {
			case 0:
				e.Pass(now)
				c.want(budget("ok", &e), "errs_pass", now)
			case 1:
				if r.IntN(4) == 0 {
					e.Forgive()
					c.want(budget("ok", &e), "errs_forgive")
				}
			default:
				place := r.Uint64N(places)
				c.want(budget(oneIf(e.Failed(place, now)), &e), "errs_failed", place, now)
			}
		}
	})
}

func budget(answer any, e *pool.Errs) string {
	return fmt.Sprintf("%v %d %d", answer, e.Places(), oneIf(e.Spent()))
}
