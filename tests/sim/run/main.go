// SPDX-License-Identifier: Apache-2.0

// Command run plays seeds of the simulator and prints one summary line. A failing seed is printed with its
// symptom; -trace replays it as a list of events.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/rmr-block/rmr/tests/sim"
)

func main() {
	seeds := flag.Uint64("seeds", 1000, "number of seeds")
	from := flag.Uint64("from", 1, "first seed")
	mutant := flag.String("mutant", "", "rule to switch off")
	workers := flag.Int("workers", 2, "worlds at once")
	stop := flag.Bool("stop", false, "stop at the first violation")
	mutants := flag.Bool("mutants", false, "search a seed that finds each mutant, at most so many seeds each, and print a table")
	trace := flag.Bool("trace", false, "print the events of the first seed and nothing else")
	flag.Parse()
	if *trace {
		_, v := sim.Run(sim.Draw(*from, sim.Rule(*mutant)), os.Stdout)
		fmt.Println(v)
		return
	}
	if *mutants {
		if !hunt(os.Stdout, *seeds, *workers) {
			os.Exit(1)
		}
		return
	}
	if !play(os.Stdout, *seeds, *from, sim.Rule(*mutant), *workers, *stop) {
		os.Exit(1)
	}
}

// hunt prints for each mutant a seed that shows it, in the order of the table, and tells whether all were found.
func hunt(out io.Writer, seeds uint64, workers int) bool {
	type result struct {
		line  string
		found bool
	}
	all := sim.Mutants()
	results := make([]chan result, len(all))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	next := make(chan int, len(all))
	for i := range all {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				line, found := search(all[i], seeds)
				results[i] <- result{line, found}
			}
		})
	}
	missed := 0
	for _, c := range results {
		r := <-c
		fmt.Fprintln(out, r.line)
		if !r.found {
			missed++
		}
	}
	wg.Wait()
	fmt.Fprintf(out, "sim-mutants: %d mutants, %d not found\n", len(all), missed)
	return missed == 0
}

// search tries the known seed, then plain and directed seeds in turn.
func search(m sim.Mutant, seeds uint64) (line string, found bool) {
	try := func(seed uint64) bool {
		_, v := sim.Run(sim.Draw(seed, m.Rule), nil)
		if v == nil || v.Promise == sim.Undecided || v.Promise == "I10" {
			return false
		}
		line = fmt.Sprintf("%-12s seed %-14d %-6s %s", m.Rule, seed, v.Promise, m.Broken)
		return true
	}
	if m.Seed != 0 && try(m.Seed) {
		return line, true
	}
	for i := range seeds {
		if m.Seed >= sim.Changing {
			if try(sim.Changing + i) {
				return line, true
			}
			continue
		}
		if try(i+1) || try(sim.Directed+i) {
			return line, true
		}
	}
	return fmt.Sprintf("%-12s NOT FOUND in %d seeds: %s", m.Rule, 2*seeds, m.Broken), false
}

// play runs the seeds and tells whether no promise was broken. An interrupt ends it early, with the summary of
// what was played.
func play(out io.Writer, seeds, from uint64, mutant sim.Rule, workers int, stop bool) bool {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	next := make(chan uint64)
	var total sim.Stats
	var mu sync.Mutex
	var wg sync.WaitGroup
	done, violations, stopped := uint64(0), 0, false
	for range workers {
		wg.Go(func() {
			for seed := range next {
				stats, v := sim.Run(sim.Draw(seed, mutant), nil)
				mu.Lock()
				done++
				total.Ops += stats.Ops
				total.Faults += stats.Faults
				total.Events += stats.Events
				if v != nil {
					violations++
					stopped = stopped || stop && v.Promise != sim.Undecided
					fmt.Fprintln(out, v)
				}
				mu.Unlock()
			}
		})
	}
	for seed := from; seed < from+seeds; seed++ {
		mu.Lock()
		enough := stopped || ctx.Err() != nil
		mu.Unlock()
		if enough {
			break
		}
		next <- seed
	}
	close(next)
	wg.Wait()
	fmt.Fprintf(out, "sim: seeds %d (from %d), operations %d, faults %d, events %d, violations %d\n", done, from, total.Ops, total.Faults, total.Events, violations)
	return violations == 0
}
