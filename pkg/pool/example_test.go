// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"errors"
	"fmt"

	"github.com/rmr-block/rmr/pkg/pool"
)

func ExampleEncodeMessage() {
	b, err := pool.EncodeMessage(&pool.IO{
		Header: pool.Header{Handle: 7},
		Epoch:  pool.Epoch{Seq: 1, Client: 0xc1}, View: 3,
		Op: pool.OpWrite, Seq: 12, CompletedBelow: 9,
		Missing: pool.MaskOf(2),
		Offset:  1 << 20, Length: 8192, // bytes
	})
	fmt.Println(len(b), err)
	m, err := pool.DecodeMessage(b)
	io := m.(*pool.IO)
	fmt.Println(m.MsgType(), io.Seq, io.Offset, io.Length, io.Missing, err)
	// Output:
	// 80 <nil>
	// IO 12 1048576 8192 {2} <nil>
}

// A refusal names the structure and the field; errors.Is tells its class.
func ExampleDecodeMessage_refused() {
	b, _ := pool.EncodeMessage(&pool.Detach{Header: pool.Header{Handle: 7}, Epoch: pool.Epoch{Seq: 1}})
	b[2] = 9 // major version
	_, err := pool.DecodeMessage(b)
	var field *pool.FieldError
	fmt.Println(errors.Is(err, pool.ErrVersion), errors.As(err, &field), field.Struct, field.Field, field.Value)
	// Output:
	// true true rmr_msg_hdr hdr.major 9
}

// The layout of a store of 1 GiB: data, map, 128 KiB for the superblocks. All values are bytes.
func ExamplePoolSizeMaxOn() {
	const store = 1 << 30
	size := pool.PoolSizeMaxOn(store, pool.ChunkSizeDefault)
	mapLen := pool.MapLen(pool.Chunks(size, pool.ChunkSizeDefault))
	copy0, _ := pool.SuperblockOff(store, 0)
	fmt.Println(size, mapLen, pool.MapOff(store, mapLen), copy0)
	// Output:
	// 1073606656 4096 1073606656 1073737728
}

// Client 0xb takes over from client 0xa: member 1 stayed in touch, member 0 has an uncertain chunk.
func ExampleDecideAttach() {
	v := pool.View{Epoch: pool.Epoch{Seq: 1, Client: 0xa}, Number: 4, UpToDate: pool.MaskOf(0, 1), Lineage: pool.UUID{1}}
	epoch := pool.NextEpoch(v.Epoch, 0xb)
	a, err := pool.DecideAttach(pool.Voters{Data: pool.MaskOf(0, 1)}, epoch, []pool.Promise{
		{Member: 0, View: v, Uncertain: []uint64{17}},
		{Member: 1, View: v},
	})
	fmt.Println(err, a.Source, a.Uncertain, a.Marked, a.MustWait)
	fmt.Println("first", a.First.UpToDate, "live", a.Live().UpToDate, a.Live().Syncing)

	_, err = pool.DecideAttach(pool.Voters{Data: pool.MaskOf(0, 1)}, epoch, []pool.Promise{{Member: 0, View: v}})
	fmt.Println(errors.Is(err, pool.ErrMissingMembers))
	// Output:
	// <nil> 0 [17] {1} false
	// first {0,1} live {0} {1}
	// true
}

// Leg 1 fails: the view without it counts once the other active leg has persisted it.
func ExampleViewMaker() {
	m := pool.NewViewMaker(pool.Voters{Data: pool.MaskOf(0, 1)}, pool.View{Number: 4, UpToDate: pool.MaskOf(0, 1)})
	m.Lose(pool.MaskOf(1), 0)
	fmt.Println(m.Settled(), m.Proposed().Number, m.Proposed().UpToDate)
	m.Persisted(0, 5)
	fmt.Println(m.Settled(), m.Established().UpToDate)
	// Output:
	// false 5 {0}
	// true {0}
}

func ExampleMayPromote() {
	facts := pool.PromotionFacts{Syncing: true, MapComplete: true, OthersActive: pool.MaskOf(0, 2), ClearedOn: pool.MaskOf(0), Flushed: true}
	may, _ := pool.MayPromote(facts)
	facts.ClearedOn = pool.MaskOf(0, 2)
	now, _ := pool.MayPromote(facts)
	fmt.Println(may, now)
	// Output:
	// false true
}
