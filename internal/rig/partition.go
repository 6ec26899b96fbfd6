// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

const filterTable = "rig"

// partition is what no frame passes between: ordered pairs of node indexes.
type partition struct {
	mu      sync.Mutex
	dropped map[int][]int // sender to receivers
}

// Separate drops everything that the nodes a and b send to each other, while both reach the others.
func (c *Cluster) Separate(a, b *Node) error {
	c.logf("%s and %s separated", a.name, b.name)
	return c.setDropped(true, [2]*Node{a, b}, [2]*Node{b, a})
}

// SeparateOneWay drops what from sends to to; the other direction is left as it is.
func (c *Cluster) SeparateOneWay(from, to *Node) error {
	c.logf("%s cannot send to %s", from.name, to.name)
	return c.setDropped(true, [2]*Node{from, to})
}

// Join undoes Separate and SeparateOneWay for two nodes.
func (c *Cluster) Join(a, b *Node) error {
	c.logf("%s and %s joined", a.name, b.name)
	return c.setDropped(false, [2]*Node{a, b}, [2]*Node{b, a})
}

func (c *Cluster) setDropped(drop bool, pairs ...[2]*Node) error {
	p := &c.partition
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pair := range pairs {
		from, to := pair[0].index, pair[1].index
		receivers := slices.DeleteFunc(slices.Clone(p.dropped[from]), func(i int) bool { return i == to })
		if drop {
			receivers = append(receivers, to)
		}
		if err := c.net.do(func() error { return filterPort(from, receivers) }); err != nil {
			return fmt.Errorf("separate %s from %s: %w", pair[0].name, pair[1].name, err)
		}
		if p.dropped == nil {
			p.dropped = map[int][]int{}
		}
		p.dropped[from] = receivers
	}
	return nil
}

// filterPort replaces the filter of frames that come from a node: those to the receivers are
// dropped before they reach the bridge. Broadcasts (address resolution) pass.
func filterPort(from int, receivers []int) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open packet filter: %w", err)
	}
	table := conn.AddTable(&nftables.Table{Name: filterTable, Family: nftables.TableFamilyNetdev})
	policy := nftables.ChainPolicyAccept
	chain := conn.AddChain(&nftables.Chain{
		Name: bridgePort(from), Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookIngress,
		Priority: nftables.ChainPriorityFilter, Device: bridgePort(from), Policy: &policy,
	})
	conn.FlushChain(chain)
	for _, to := range receivers {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseLLHeader, Offset: 0, Len: 6}, // destination address
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: nodeMAC(to)},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("set packet filter of %s: %w", bridgePort(from), err)
	}
	return nil
}
