// SPDX-License-Identifier: Apache-2.0

package register_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/register"
	"github.com/rmr-block/rmr/pkg/pool"
)

func write(v uint64, call, ret int64) register.Op {
	return register.Op{Kind: pool.OpWrite, Value: v, Call: call, Return: ret}
}

func read(v uint64, call, ret int64) register.Op {
	return register.Op{Kind: pool.OpRead, Value: v, Call: call, Return: ret}
}

func TestHistoriesOfABlock(t *testing.T) {
	flush := register.Op{Kind: pool.OpFlush, Call: 3, Return: 4}
	loss := register.Op{Loss: true, Call: 5, Return: 6}
	for name, c := range map[string]struct {
		want register.Result
		ops  []register.Op
	}{
		"nothing":                             {register.Legal, nil},
		"the new value":                       {register.Legal, []register.Op{write(1, 1, 2), read(1, 3, 4)}},
		"stale read":                          {register.Illegal, []register.Op{write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)}},
		"lost write":                          {register.Illegal, []register.Op{write(1, 1, 2), read(0, 3, 4)}},
		"time travel":                         {register.Illegal, []register.Op{write(1, 1, 2), write(2, 3, 20), read(2, 4, 5), read(1, 6, 7)}},
		"either of two that overlap":          {register.Legal, []register.Op{write(1, 1, 4), write(2, 2, 3), read(1, 5, 6)}},
		"unanswered write, late effect":       {register.Legal, []register.Op{write(1, 1, register.Never), read(0, 2, 3), read(1, 4, 5)}},
		"unanswered write, no effect":         {register.Legal, []register.Op{write(1, 1, register.Never), read(0, 2, 3), read(0, 4, 5)}},
		"unanswered write, effect taken back": {register.Illegal, []register.Op{write(1, 1, register.Never), read(1, 2, 3), read(0, 4, 5)}},
		"failed write, effect after the next": {register.Illegal, []register.Op{{Kind: pool.OpWrite, Value: 1, Call: 1, Return: register.Never, Until: 3}, write(2, 4, 5), read(1, 6, 7)}},
		"failed write, never seen":            {register.Legal, []register.Op{{Kind: pool.OpWrite, Value: 1, Call: 1, Return: register.Never, Until: 3}, write(2, 2, 3), read(2, 6, 7)}},
		"cache lost":                          {register.Legal, []register.Op{write(1, 1, 2), loss, read(0, 7, 8)}},
		"cache lost after a flush":            {register.Illegal, []register.Op{write(1, 1, 2), flush, loss, read(0, 7, 8)}},
	} {
		require.Equal(t, c.want, register.Check(c.ops, time.Minute), name)
	}
}
