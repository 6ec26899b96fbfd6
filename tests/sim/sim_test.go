// SPDX-License-Identifier: Apache-2.0

// Promises I1 to I9 of docs/protocol.md over whole pools: seeds without a violation, seeds that once had one,
// and mutants that must have one.

package sim

import (
	"crypto/sha256"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// logHash is the hash of the events of a world, and how many they are.
func logHash(seed uint64, broken Rule) (sum [sha256.Size]byte, n int) {
	h := sha256.New()
	stats, _ := Run(Draw(seed, broken), h)
	return [sha256.Size]byte(h.Sum(nil)), stats.Events
}

// TestSeedReplaysExactly: two runs of a seed print the same events: same hash of the log.
func TestSeedReplaysExactly(t *testing.T) {
	seen := map[[sha256.Size]byte]uint64{}
	for i := range uint64(20) {
		for _, seed := range []uint64{i + 1, Directed + i, Changing + i} {
			a, events := logHash(seed, None)
			if b, _ := logHash(seed, None); a != b || events == 0 {
				t.Fatalf("seed %d: two runs differ, or did nothing (%d events)", seed, events)
			}
			if other, again := seen[a]; again {
				t.Fatalf("seeds %d and %d have the same log", seed, other)
			}
			seen[a] = seed
		}
	}
}

// TestMutantsReplayExactly: with a rule taken away too. One seed showed its mutant in seven runs of eight: the tables of
// members were merged in the order of a Go map, which makes no difference only while every rule is in force.
func TestMutantsReplayExactly(t *testing.T) {
	for _, m := range Mutants() {
		seed := max(m.Seed, 1)
		first, _ := logHash(seed, m.Rule)
		for range 4 {
			if again, _ := logHash(seed, m.Rule); again != first {
				t.Errorf("%s: two runs of seed %d differ", m.Rule, seed)
				break
			}
		}
	}
}

// inParallel calls fn for every seed, one world for each processor at a time.
func inParallel(seeds []uint64, fn func(seed uint64)) {
	next := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range next {
				fn(seed)
			}
		})
	}
	for _, seed := range seeds {
		next <- seed
	}
	close(next)
	wg.Wait()
}

// TestSeedsKeepEveryPromise plays 2,000 seeds, 400 of them directed, 200 with members that change; make sim plays as many as asked.
func TestSeedsKeepEveryPromise(t *testing.T) {
	n := uint64(2000)
	if testing.Short() {
		n = 100
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i) + 1
		if i%5 == 0 {
			seeds[i] += Directed
		} else if i%10 == 1 {
			seeds[i] += Forced
		} else if i%10 == 2 {
			seeds[i] += Changing
		}
	}
	var mu sync.Mutex
	var total Stats
	inParallel(seeds, func(seed uint64) {
		stats, v := Run(Draw(seed, None), nil)
		mu.Lock()
		defer mu.Unlock()
		if v != nil {
			t.Error(v)
		}
		total.Ops += stats.Ops
		total.Faults += stats.Faults
	})
	t.Logf("%d seeds, %d operations, %d faults", n, total.Ops, total.Faults)
	if total.Ops < int(n)*50 || total.Faults < int(n) {
		t.Errorf("%d seeds did only %d operations and %d faults", n, total.Ops, total.Faults)
	}
}

// TestMutantsAreNoticed takes one rule away at a time: the seed named in the table must show it, and must be
// clean with the rule in force. A mutant without a seed is one that the protocol models notice, or is skipped for
// all to see.
func TestMutantsAreNoticed(t *testing.T) {
	inModels, err := os.ReadFile("../model/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Mutants() {
		t.Run(string(m.Rule), func(t *testing.T) {
			if m.Seed == 0 {
				name := strings.Replace(string(m.Rule), "F_", "N_", 1)
				if !strings.Contains(string(inModels), "\n"+name+" ") {
					t.Skipf("%s: neither a seed nor a model shows it so far", m.Broken)
				}
				t.Logf("%s: shown by the models only", m.Broken)
				return
			}
			if _, v := Run(Draw(m.Seed, m.Rule), nil); v == nil || v.Promise == Undecided || v.Promise == "I10" {
				t.Errorf("%s: seed %d does not show it any more (%v): make sim-mutants", m.Broken, m.Seed, v)
			}
			if _, v := Run(Draw(m.Seed, None), nil); v != nil {
				t.Error(v)
			}
		})
	}
}

// Seeds that once broke a promise, by what was seen. They must stay clean.
func TestOnceBrokenSeedsStayClean(t *testing.T) {
	for symptom, seeds := range map[string][]uint64{
		"replayed write of a superseded client takes effect twice":      {59, 71, 116, 120, 131, 137, 210, 215},
		"superseded clients take the pool from each other for ever":     {1298, 1493},
		"late copy of a MARK leaves a bit that nobody clears":           {1450},
		"promised members whose client died are recovered by nobody":    {14, 214, 246, 295, 478},
		"intents held for a client that died are released by nobody":    {7320, 11245, 12287, 27280, 28766, 29804, 31996},
		"all of U restarted and the source of reconcile lost its cache": {296, 418, 669, 921, 928},
		"a leg of U crashed before the client knew of its promotion":    {11211, 44176},
		"the loss of a superseded client's attach made data durable":    {47258},
		"a copy spreads a write in flight and nothing tells of it":      {307955, 322686, 180943, 181690, 221202, 240992, 247510},
		"a copy undoes a write applied before a MISSED of its chunk":    {383134},
		"a forced attach that died half-way left two histories":         {2199023256532},
		"who was not in a forced view was promoted with what it had":    {2199023255672},
		"a forced client went on alone beside one with a majority":      {2199023257239},
		"a member that restarted is a source before it was told a view": {78692, 1099511649413},
		"an old disk goes live beside a member that was removed":        {4398046511284},
		"a removed store ends before others know, too few are left":     {4398046517339, 4398046512083},
		"an older table of as high a view is taken for what is so":      {4398046519052},
		"maintenance undid a wish to leave, the exchange never ended":   {4398046600107},
		"a leg that leaves waits for ever to join and is never free":    {4398046511104},
		"bits of a freed slot were gone before the table said it":       {4398046800538},
		"the store in a member's place was not looked at, at rest":      {4398046701520, 4398046703290},
		"a leg that leaves is in Y, and nobody is there to eject it":    {4398046514025, 4398046514163},
	} {
		t.Run(symptom, func(t *testing.T) {
			for _, seed := range seeds {
				if _, v := Run(Draw(seed, None), nil); v != nil {
					t.Error(v)
				}
			}
		})
	}
}
